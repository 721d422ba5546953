import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { sessionCommands } from "../../src/agent/session-commands.ts";
import { createApprovals } from "../../src/agent/approvals.ts";
import { plainRequest, type RunTurn, type TurnEvent } from "../../src/agent/turn.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { AppError, isSessionBusy } from "../../src/errors.ts";
import { assistantMessage, toolMessage } from "../../src/llm/message.ts";
import { commands } from "../../src/middleware/commands.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { memoryStore, openStore, type Store } from "../../src/store/open.ts";
import { beginErase } from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as rows from "../../src/store/turns.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { eraseSession } from "../../src/turns/retention.ts";
import { endsTurn, type NewTurn, type SessionEvent } from "../../src/turns/turns.ts";
import { call, someUsage } from "../helpers/scripted-llm.ts";

const operator = { name: "operator", scope: "operator" } as const;
const alice = { name: "alice", scope: "chat" } as const;

const says = (text: string, over: Partial<NewTurn> = {}): NewTurn => ({
  sessionId: "s",
  principal: operator,
  channel: "websocket",
  text,
  request: plainRequest,
  ...over,
});

const answer = (text: string): TurnEvent[] => [
  { type: "text", text },
  { type: "message", message: assistantMessage(text), usage: someUsage, model: "m" },
  { type: "done", finishReason: "stop", usage: someUsage, model: "m", clientCalls: [] },
];

async function* echo(turn: Parameters<RunTurn>[0]): AsyncIterable<TurnEvent> {
  yield* answer(`echo ${turn.text}`);
}

/** Ticks whenever it is looked at, so that no two moments of a test are one. */
let clock = 0;
const now = () => ++clock;

async function made(agent: RunTurn, over: { store?: Store } = {}) {
  const store = over.store ?? (await memoryStore());
  const list = sessionCommands({
    store,
    models: { list: async () => [], check: async () => {} },
    approvals: createApprovals(store, { timeoutMs: 1000 }),
    stop: async () => false,
  });
  const ends = createTurnEnds(store);
  const run = pipeline(
    [
      commands(list, "now"),
      oneAtATime(store, ends),
      commands(list, "in_turn"),
      contextWindow({ store, contextBytes: 100_000 }),
    ],
    agent,
  );
  const turns = createTurns({ store, run, ends, commands: list, maxTurns: 10, maxWaitingPerSession: 2, now });
  return { store, turns };
}

/** Accepts a message and collects the events of its turn. */
async function heard(turns: Awaited<ReturnType<typeof made>>["turns"], turn: NewTurn) {
  const events: SessionEvent[] = [];
  const ended = Promise.withResolvers<void>();
  const accepted = await turns.accept(turn, (event) => {
    events.push(event);
    if (endsTurn(event.event)) ended.resolve();
  });
  await ended.promise;
  return { accepted, events, types: events.map((event) => event.event.type) };
}

const conversation = async (store: Awaited<ReturnType<typeof memoryStore>>, sessionId = "s") => {
  const path = await store.read(async (tx) => {
    const session = await sessions.find(tx, sessionId);
    return session?.leafId === undefined ? [] : sessions.path(tx, session.leafId, 1_000_000);
  });
  return path.map(({ message }) => `${message.role}: ${JSON.parse(message.json).content}`);
};

test("accept stores the message, runs its turn and tells its events in order", async () => {
  const { store, turns } = await made(echo);

  const { accepted, events, types } = await heard(turns, says("hi", { messageId: "m1" }));

  expect(types).toEqual(["started", "text", "done"]);
  expect(events[0]).toMatchObject({ turnId: accepted.turnId, messageId: "m1", sessionId: "s" });
  expect(await conversation(store)).toEqual(["user: hi", "assistant: echo hi"]);
  expect(await store.read((tx) => rows.find(tx, accepted.turnId))).toMatchObject({ state: "done" });
});

test("accept takes two commits for a plain turn", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "openclaw-turns-"));
  const store = await openStore({ dataDir });
  const { turns } = await made(echo, { store });
  const before = store.commits();

  await heard(turns, says("hi"));

  expect(store.commits() - before).toBe(2);
  await store.close();
  rmSync(dataDir, { recursive: true });
});

test("accept does not run a message id again: it tells the stored answer", async () => {
  let runs = 0;
  const { turns } = await made(async function* (turn) {
    runs++;
    yield* echo(turn);
  });
  const first = await heard(turns, says("hi", { messageId: "m1" }));

  const second = await heard(turns, says("hi", { messageId: "m1" }));

  expect(runs).toBe(1);
  expect(second.accepted).toMatchObject({ repeated: true, turnId: first.accepted.turnId });
  expect(second.types).toEqual(["started", "text", "done"]);
});

test("accept answers somebody else's session as one that does not exist", async () => {
  const { turns } = await made(echo);
  await heard(turns, says("hi"));

  await expect(turns.accept(says("hi", { principal: alice }))).rejects.toMatchObject({ code: "not_found" });
});

test("accept bounds the turns that wait behind one of the same session", async () => {
  const gate = Promise.withResolvers<void>();
  const { turns } = await made(async function* (turn) {
    await gate.promise;
    yield* echo(turn);
  });
  const accepted = [
    await turns.accept(says("1")),
    await turns.accept(says("2")),
    await turns.accept(says("3")),
  ];

  const refused: unknown = await turns.accept(says("4")).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "busy", message: "Server is busy. Please retry." });
  expect(isSessionBusy(refused)).toBe(true);
  gate.resolve();

  expect(new Set(accepted.map((each) => each.turnId)).size).toBe(3);
});

test("accept bounds the commands that wait behind a turn like turns, and takes those that are answered at once", async () => {
  const gate = Promise.withResolvers<void>();
  const { turns } = await made(async function* (turn) {
    await gate.promise;
    yield* echo(turn);
  });
  await turns.accept(says("1"));
  await turns.accept(says("/new"));
  const last = heard(turns, says("/reset"));
  await heard(turns, says("/status"));

  for (const text of ["/new", "/reset", "2"])
    expect(isSessionBusy(await turns.accept(says(text)).catch((error: unknown) => error))).toBe(true);
  for (const sessionId of ["a", "b", "c", "d", "e", "f", "g"]) await turns.accept(says("1", { sessionId }));
  // There is room for ten turns here.
  await expect(turns.accept(says("/new", { sessionId: "h" }))).rejects.toMatchObject({ code: "busy" });
  expect((await heard(turns, says("/status", { sessionId: "h" }))).types).toEqual(["started", "notice"]);
  gate.resolve();

  expect((await last).types.at(-1)).toBe("notice");
});

test("a turn that fails is told as failed and keeps the message; the session stays usable", async () => {
  let fail = true;
  const { store, turns } = await made(async function* (turn) {
    if (fail) throw new AppError("provider_error", "The model is down.");
    yield* echo(turn);
  });

  const failed = await heard(turns, says("hi"));
  fail = false;
  await heard(turns, says("again"));

  expect(failed.events.at(-1)?.event).toEqual({
    type: "failed",
    code: "provider_error",
    message: "The model is down.",
  });
  expect(await conversation(store)).toEqual(["user: hi", "user: again", "assistant: echo again"]);
});

test("a turn that is refused before the model was asked leaves no trace in the conversation", async () => {
  const { store, turns } = await made(() => {
    throw new AppError("rate_limited", "Too fast.", { retryAfterMs: 1000 });
  });

  const refused = await heard(turns, says("hi"));

  expect(refused.events.at(-1)?.event).toMatchObject({
    type: "failed",
    code: "rate_limited",
    retryAfterMs: 1000,
  });
  expect(await conversation(store)).toEqual([]);
});

test("a message that was refused before the model was asked is run when it is sent again, and one that failed is not", async () => {
  let fault: AppError | undefined;
  const { store, turns } = await made(async function* (turn) {
    if (fault !== undefined) throw fault;
    yield* echo(turn);
  });
  const send = () => heard(turns, says("hi", { messageId: "m1" }));

  for (const code of ["rate_limited", "budget_exceeded", "busy"] as const) {
    fault = new AppError(code, "Not now.", { retryAfterMs: 1000 });
    expect(await send()).toMatchObject({ accepted: { repeated: false }, types: ["failed"] });
  }
  fault = new AppError("provider_error", "The model is down.");
  const failed = await send();
  fault = undefined;

  expect(failed.accepted.repeated).toBe(false);
  expect(await send()).toMatchObject({
    accepted: { repeated: true, turnId: failed.accepted.turnId },
    types: ["failed"],
  });
  expect(await conversation(store)).toEqual(["user: hi"]);
});

test("an error that is not ours is told as one sentence, without its text", async () => {
  const { turns } = await made(() => {
    throw new Error("secret detail");
  });

  const failed = await heard(turns, says("hi"));

  expect(failed.events.at(-1)?.event).toMatchObject({ type: "failed", code: "internal" });
  expect(JSON.stringify(failed.events)).not.toContain("secret");
});

test("cancel ends a running turn, keeps what was said, and the session goes on", async () => {
  const spoke = Promise.withResolvers<void>();
  const { store, turns } = await made(async function* (turn) {
    if (turn.text !== "long") return yield* echo(turn);
    yield { type: "text", text: "once upon" };
    spoke.resolve();
    await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
    throw new AppError("cancelled", "cut");
  });
  const events: SessionEvent[] = [];
  const { turnId } = await turns.accept(says("long"), (event) => events.push(event));
  await spoke.promise;

  expect(await turns.cancel(turnId)).toBe(true);
  expect(await turns.cancel(turnId)).toBe(false);
  await heard(turns, says("hi"));

  expect(events.at(-1)?.event).toMatchObject({ type: "failed", code: "cancelled" });
  expect(await conversation(store)).toEqual([
    "user: long",
    "assistant: once upon",
    "user: hi",
    "assistant: echo hi",
  ]);
});

test("follow replays what a client missed and goes on live, without a gap or a repeat, from any cursor", async () => {
  const words = Array.from({ length: 30 }, (_, n) => `word${n} `);
  const gate = Promise.withResolvers<void>();
  const half = Promise.withResolvers<void>();
  const { turns } = await made(async function* () {
    for (const text of words.slice(0, 15)) yield { type: "text", text };
    yield { type: "message", message: assistantMessage("", [call("time")]), usage: someUsage, model: "m" };
    yield { type: "tool_start", callId: "call_time", toolName: "time", argumentsPreview: "{}" };
    yield {
      type: "tool_result",
      callId: "call_time",
      toolName: "time",
      text: "noon",
      resultStatus: "ok",
      durationMs: 1,
      message: toolMessage("call_time", "noon"),
    };
    for (const text of words.slice(15, 20)) yield { type: "text", text };
    half.resolve();
    await gate.promise;
    for (const text of words.slice(20)) yield { type: "text", text };
    yield* answer("!");
  });
  const live: SessionEvent[] = [];
  const ended = Promise.withResolvers<void>();
  const accepted = await turns.accept(says("go"), (event) => {
    live.push(event);
    if (endsTurn(event.event)) ended.resolve();
  });
  await half.promise;
  const cursors = [accepted.cursor, ...live.map((event) => event.cursor)];
  const flat = (events: readonly SessionEvent[]) =>
    events.map(({ event }) => (event.type === "text" ? event.text : `[${event.type}]`)).join("");
  const followed = await Promise.all(
    cursors.map(async (cursor) => {
      const events: SessionEvent[] = [];
      await turns.follow("s", cursor, (event) => events.push(event));
      return events;
    }),
  );
  gate.resolve();
  await ended.promise;

  const all = flat(live);
  for (const [at, events] of followed.entries()) expect(flat(live.slice(0, at)) + flat(events)).toBe(all);
  // And again from the rows alone.
  for (const [at, cursor] of [accepted.cursor, ...live.map((event) => event.cursor)].entries()) {
    const events: SessionEvent[] = [];
    (await turns.follow("s", cursor, (event) => events.push(event)))();
    expect(flat(live.slice(0, at)) + flat(events)).toBe(all);
  }
});

/** A store that fails whoever reads it without an end; `before` is waited for at each read. */
async function boundedStore(before: () => Promise<void> | undefined = () => undefined): Promise<Store> {
  const store = await memoryStore();
  let reads = 0;
  return {
    ...store,
    async read(fn) {
      if (++reads > 5000) throw new Error("The store is read without an end.");
      await before();
      return store.read(fn);
    },
  };
}

async function erase(store: Store, sessionId: string) {
  await store.write((tx) => beginErase(tx, sessionId));
  await eraseSession(store, sessionId);
}

const textOf = (events: readonly SessionEvent[]) =>
  events.map(({ event }) => (event.type === "text" ? event.text : "")).join("");

test("follow hears a session that was deleted and begun anew under its name, from any cursor that it told", async () => {
  const gate = Promise.withResolvers<void>();
  const spoke = Promise.withResolvers<void>();
  const { store, turns } = await made(
    async function* (turn) {
      if (turn.text !== "anew") return yield* echo(turn);
      yield { type: "text", text: "begun " };
      spoke.resolve();
      await gate.promise;
      yield* echo(turn);
    },
    { store: await boundedStore() },
  );
  await heard(turns, says("one"));
  await heard(turns, says("two"));
  const tab: SessionEvent[] = [];
  await turns.follow("s", undefined, (event) => tab.push(event));
  await erase(store, "s");

  const again = heard(turns, says("anew"));
  // Before anything of it is stored: from where the session stood, and from what was told since.
  await spoke.promise;
  const followed: SessionEvent[][] = [];
  for (const cursor of ["0", ...tab.map((event) => event.cursor)]) {
    const events: SessionEvent[] = [];
    followed.push(events);
    await turns.follow("s", cursor, (event) => events.push(event));
  }
  gate.resolve();
  const { events } = await again;

  const all = "begun echo anew";
  expect(textOf(events)).toBe(all);
  expect(textOf(tab)).toBe(all);
  expect(followed.map(textOf)).toEqual([all, all, "echo anew"]);
  // And those cursors are good when the turn has ended, too.
  for (const { cursor } of tab) (await turns.follow("s", cursor, () => {}))();
});

test("follow ends when its session is deleted while it is told again", async () => {
  let erasing: Promise<void> | undefined;
  const { store, turns } = await made(
    async function* (turn) {
      for (let n = 0; n < 250; n++)
        yield {
          ...{ type: "tool_result", callId: `${n}`, toolName: "time", text: "noon", resultStatus: "ok" },
          ...{ durationMs: 1, message: toolMessage(`${n}`, "noon") },
        };
      yield* echo(turn);
    },
    { store: await boundedStore(() => erasing) },
  );
  await heard(turns, says("go"));
  const events: SessionEvent[] = [];

  await turns.follow("s", "0", (event) => {
    events.push(event);
    erasing ??= erase(store, "s");
  });

  expect(events.length).toBeLessThan(250);
});

test("follow refuses a cursor that is none, one of the future, and a session that is none", async () => {
  const { turns } = await made(echo);
  await heard(turns, says("hi"));

  for (const cursor of ["x", "-1", "1e3", "999999", "1.2.3"]) {
    await expect(turns.follow("s", cursor, () => {})).rejects.toMatchObject({ code: "bad_request" });
  }
  await expect(turns.follow("nowhere", undefined, () => {})).rejects.toMatchObject({ code: "not_found" });
});

test("a slash command is answered while a turn runs, and one that changes the session waits for it", async () => {
  const gate = Promise.withResolvers<void>();
  const { store, turns } = await made(async function* (turn) {
    await gate.promise;
    yield* echo(turn);
  });
  await turns.accept(says("hi"));
  const reset = heard(turns, says("/reset"));

  const status = await heard(turns, says("/status"));
  expect(status.events.at(-1)?.event).toMatchObject({ type: "notice" });
  expect(JSON.stringify(status.events.at(-1)?.event)).toContain("Session info:");
  gate.resolve();

  expect((await reset).types.at(-1)).toBe("notice");
  expect(await conversation(store)).toEqual([]);
});

test("drain leaves a turn interrupted, and recover goes on with it in the next process", async () => {
  const store = await memoryStore();
  const begun = Promise.withResolvers<void>();
  const first = await made(
    async function* (turn) {
      yield { type: "text", text: "half" };
      begun.resolve();
      await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
      throw new AppError("cancelled", "cut");
    },
    { store },
  );
  const { turnId } = await first.turns.accept(says("hi"));
  await first.turns.accept(says("and then?"));
  await begun.promise;
  await first.turns.drain(0);
  expect(await store.read((tx) => rows.find(tx, turnId))).toMatchObject({ state: "interrupted" });
  await expect(first.turns.accept(says("late"))).rejects.toMatchObject({ code: "unavailable" });

  const second = await made(echo, { store });
  const events: SessionEvent[] = [];
  await second.turns.recover();
  const ended = Promise.withResolvers<void>();
  await second.turns.follow("s", "0", (event) => {
    events.push(event);
    if (event.event.type === "done" && event.turnId !== turnId) ended.resolve();
  });
  await ended.promise;

  expect(await conversation(store)).toEqual([
    "user: hi",
    "assistant: echo hi",
    "user: and then?",
    "assistant: echo and then?",
  ]);
  expect(events.some(({ event }) => event.type === "status" && event.code === "restarted")).toBe(true);
});
