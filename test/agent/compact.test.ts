import { expect, test } from "bun:test";
import { compactCommand, createCompaction } from "../../src/agent/compact.ts";
import { createAgent } from "../../src/agent/loop.ts";
import { createApprovals } from "../../src/agent/approvals.ts";
import type { RunTurn, Turn, TurnEvent } from "../../src/agent/turn.ts";
import { AppError } from "../../src/errors.ts";
import type { Budgets } from "../../src/llm/ledger.ts";
import type { Llm } from "../../src/llm/llm.ts";
import { assistantMessage, type Message, userMessage } from "../../src/llm/message.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { commands } from "../../src/middleware/commands.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { tokenBudget } from "../../src/middleware/token-budget.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { answers, scriptedLlm } from "../helpers/scripted-llm.ts";
import { expectValid, textOf } from "../helpers/valid-history.ts";
import { aSession, now } from "../store/records.ts";

const contextBytes = 8000;

const append = (store: Store, ...messages: readonly Message[]) =>
  store.write(async (tx) => {
    await aSession(tx);
    for (const message of messages) await sessions.append(tx, "s1", "t0", message, now);
  });

/** Twenty questions with their answers, about 200 bytes each. */
const longTalk = () =>
  Array.from({ length: 20 }, (_, n) => [
    userMessage(`question ${n} ${"q".repeat(150)}`),
    assistantMessage(`answer ${n} ${"a".repeat(150)}`),
  ]).flat();

interface Made {
  readonly share?: number;
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

/** A store, and the part of the pipeline that loads, compacts and asks. */
async function made(llm: Llm, over: Made = {}) {
  const store = await memoryStore();
  const share = over.share ?? 0.8;
  const compaction = createCompaction({ store, llm, roomBytes: () => contextBytes, ...over, share });
  const agent = createAgent({
    llm,
    sandbox: createSandbox({ tools: [], lend: {}, timeoutMs: 1000, timeoutMaxMs: 1000 }),
    approvals: createApprovals(store, { timeoutMs: 1000 }),
    rules: { autonomy: "supervised", approvalTools: [] },
    parallelCalls: 1,
    prompt: async () => "You are a test.",
    maxSteps: 3,
    contextBytes,
  });
  const compact: RunTurn = (turn) => compaction.onDemand(turn);
  const steps = [
    commands([compactCommand(compact)], "in_turn"),
    contextWindow({ store, contextBytes, compaction }),
  ];
  const run = pipeline(steps, agent);
  /** Says something in the session, and stores what comes of it, as the runner does. */
  const say = async (text: string, turn: Partial<Turn> = {}) => {
    if (!text.startsWith("/")) await append(store, userMessage(text));
    const events: TurnEvent[] = [];
    for await (const event of run(aTurn({ text, sessionId: "s1", entries: [], ...turn }))) {
      events.push(event);
      if (event.type === "message") await append(store, event.message);
    }
    return events;
  };
  return { store, say, compaction };
}

const statuses = (events: readonly TurnEvent[]) =>
  events.flatMap((event) => (event.type === "status" ? [event.code] : []));
const sentTo = (request: { readonly messages: readonly Message[] } | undefined) =>
  (request?.messages ?? []).slice(1);

test("automatic sums up the older messages before the turn, and the model is sent the summary in their place", async () => {
  const llm = scriptedLlm(answers("They talked about q."), answers("so"));
  const { store, say } = await made(llm);
  await append(store, ...longTalk());

  const events = await say("and now?");

  expect(statuses(events)).toEqual(["compacting", "step"]);
  expect(textOf(llm.requests[0]?.messages[1])).toContain("Person: question 0 qqq");
  expect(llm.requests[0]?.tools).toEqual([]);
  const sent = sentTo(llm.requests[1]);
  expectValid(sent);
  expect(textOf(sent[0])).toStartWith("question 0 ");
  expect(textOf(sent[0])).toContain("written by a model");
  expect(textOf(sent[0])).toContain("They talked about q.");
  expect(textOf(sent.at(-1))).toBe("and now?");
  expect(sent.length).toBeLessThan(12);
  // Both calls are on the account of the session.
  const account = { sessionId: "s1", turnId: "turn-1", principal: "operator", channel: "websocket" };
  expect(llm.requests.map((request) => request.account)).toEqual([account, account]);
  // The tree is as it was: 40 messages, the new question and its answer.
  const { items } = await store.read((tx) => sessions.messages(tx, "s1", { limit: 200 }));
  expect(items).toHaveLength(42);
  expect(items.every((item) => item.keptFrom === undefined)).toBe(true);
  await store.close();
});

test("automatic is not due again after it was done, until as much was said anew", async () => {
  const llm = scriptedLlm(answers("sum 1"), ...Array.from({ length: 60 }, (_, n) => answers(`so ${n}`)));
  const { store, say } = await made(llm);
  await append(store, ...longTalk());
  await say("one");

  let compacted = 0;
  for (let n = 0; n < 30; n++) {
    const codes = statuses(await say(`next ${n} ${"n".repeat(150)}`));
    if (codes.includes("compacting")) compacted++;
  }

  // 30 turns of about 300 bytes: each summary needs a quarter of the window's share at least.
  expect(compacted).toBeGreaterThan(0);
  expect(compacted).toBeLessThan(7);
  const summaries = llm.requests.filter((request) => textOf(request.messages[1]).startsWith("<transcript>"));
  // The second one is written from the first and what came after it.
  expect(textOf(summaries[1]?.messages[1])).toContain("Summary of what was before:");
  await store.close();
});

test("automatic falls back to cutting when the summary fails, and leaves the session alone for a while", async () => {
  let time = now;
  let asked = 0;
  const llm: Llm = async function* failing(request) {
    if (textOf(request.messages[1]).startsWith("<transcript>")) {
      asked++;
      throw new AppError("provider_error", "The model is unwell.");
    }
    yield* answers("so");
  };
  const { store, say } = await made(llm, { now: () => time });
  await append(store, ...longTalk(), ...longTalk());

  const first = await say("one");
  await say("two");
  expect(first.at(-1)?.type).toBe("done");
  expect(statuses(first)).toEqual(["compacting", "compacting", "step"]);
  expect(asked).toBe(1);
  time += 10 * 60_000;
  await say("three");
  expect(asked).toBe(2);
  await store.close();
});

test("automatic ends with the turn, and a summary that takes too long is given up", async () => {
  let onAsked = () => {};
  const hanging: Llm = async function* hanging({ messages, signal }) {
    if (!textOf(messages[1]).startsWith("<transcript>")) return yield* answers("so");
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(new AppError("cancelled", "stopped")), { once: true });
    onAsked();
    await promise;
  };
  const { store, say } = await made(hanging, { timeoutMs: 20 });
  await append(store, ...longTalk());
  expect((await say("one")).at(-1)?.type).toBe("done");

  const patient = await made(hanging);
  await append(patient.store, ...longTalk());
  const controller = new AbortController();
  onAsked = () => controller.abort();
  const saying = patient.say("one", { signal: controller.signal });
  await expect(saying).rejects.toMatchObject({ code: "cancelled" });
  await store.close();
  await patient.store.close();
});

test("automatic does nothing with a share of 0, for a short conversation, and for a turn that goes on", async () => {
  const llm = scriptedLlm(answers("so"), answers("so"), answers("so"));
  const off = await made(llm, { share: 0 });
  await append(off.store, ...longTalk());
  expect(statuses(await off.say("one"))).toEqual(["step"]);

  const on = await made(llm);
  await append(on.store, userMessage("hi"), assistantMessage("hello"));
  expect(statuses(await on.say("one"))).toEqual(["step"]);
  await append(on.store, ...longTalk());
  expect(statuses(await on.say("two", { resumed: true }))).toEqual(["step"]);
  await off.store.close();
  await on.store.close();
});

test("automatic asks no model when the budget of the session is spent", async () => {
  const llm = scriptedLlm();
  const { store, compaction } = await made(llm);
  await append(store, ...longTalk(), userMessage("one"));
  const budgets: Budgets = {
    check: () => Promise.reject(new AppError("budget_exceeded", "All is spent.")),
    reserve: async () => () => {},
    noteUnpriced: () => {},
  };
  const run = pipeline(
    [tokenBudget(budgets), contextWindow({ store, contextBytes, compaction })],
    async function* never() {},
  );

  const turning = Array.fromAsync(run(aTurn({ sessionId: "s1" })));

  await expect(turning).rejects.toMatchObject({ code: "budget_exceeded" });
  expect(llm.requests).toEqual([]);
  await store.close();
});

test("compactCommand compacts on demand, says what was done, and has nothing to do right after", async () => {
  const llm = scriptedLlm(answers("short"));
  const { store, say, compaction } = await made(llm, { share: 0 });
  await append(store, ...longTalk().slice(0, 10));

  const events = await say("/compact");
  const again = await say("/compact");

  expect(events.map((event) => event.type)).toEqual(["status", "notice"]);
  expect(events[0]).toMatchObject({ code: "compacting" });
  expect(events[1]).toMatchObject({
    text: expect.stringMatching(/^Compacted: a summary of .* Nothing was deleted\.$/),
  });
  expect(again).toEqual([{ type: "notice", text: expect.stringContaining("Nothing to compact") }]);
  const nothing = await Array.fromAsync(compaction.onDemand(aTurn()));
  expect(nothing).toEqual([{ type: "notice", text: expect.stringContaining("needs a session") }]);
  await store.close();
});

test("compactCommand says why it could not, and changes nothing", async () => {
  const { store, say } = await made(scriptedLlm(answers(" "), answers("x".repeat(9000))));
  await append(store, ...longTalk().slice(0, 4));

  for (const why of ["wrote no summary", "no shorter"])
    expect((await say("/compact")).at(-1)).toMatchObject({ text: expect.stringContaining(why) });
  const rows = await store.read((tx) => tx`SELECT id FROM entries WHERE kept_from IS NOT NULL`);
  expect(rows).toEqual([]);
  await store.close();
});
