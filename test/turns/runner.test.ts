import { expect, test } from "bun:test";
import * as v from "valibot";
import { createApprovals } from "../../src/agent/approvals.ts";
import { createAgent } from "../../src/agent/loop.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { plainRequest } from "../../src/agent/turn.ts";
import { AppError, isStopping } from "../../src/errors.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { createSlots, withSlots } from "../../src/middleware/slots.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { defineTool } from "../../src/sandbox/tool.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as leases from "../../src/store/turn-leases.ts";
import * as rows from "../../src/store/turns.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { endsTurn, type SessionEvent } from "../../src/turns/turns.ts";
import { answers, call, scriptedLlm } from "../helpers/scripted-llm.ts";

const operator = { name: "operator", scope: "operator" } as const;

/** A turn that looks, changes something and watches, as many of it at once as `parallelCalls`; it looks already. */
async function begun(parallelCalls: number, autonomy: "supervised" | "full") {
  const real = await memoryStore();
  let isAway = false;
  let refused = 0;
  const store: Store = {
    ...real,
    async write(fn) {
      if (!isAway) return real.write(fn);
      refused++;
      throw new AppError("unavailable", "away");
    },
  };
  const looking = Promise.withResolvers<void>();
  const looked = Promise.withResolvers<string>();
  const did: string[] = [];
  let reason: unknown;
  const of = { description: "", needs: [], input: v.object({}) } as const;
  const look = defineTool({
    ...{ name: "look", ...of },
    effect: () => "reads",
    run: () => (looking.resolve(), looked.promise),
  });
  const watch = defineTool({
    ...{ name: "watch", ...of },
    effect: () => "reads",
    run(_input, _can, { signal }) {
      did.push("watch");
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          ({ reason } = signal);
          resolve("");
        }),
      );
    },
  });
  const change = defineTool({
    ...{ name: "change", ...of },
    effect: () => "changes",
    async run() {
      did.push("change");
      // Its end is behind that of what is on its way to the store.
      await new Promise((resolve) => setImmediate(resolve));
      return "changed";
    },
  });
  const sandbox = createSandbox({
    ...{ tools: [look, watch, change], lend: {}, timeoutMs: 5000, timeoutMaxMs: 5000 },
  });
  const ends = createTurnEnds(store);
  const approvals = createApprovals(store, { timeoutMs: 60_000 });
  const slots = createSlots(2, 10);
  const agent = createAgent({
    ...{ llm: scriptedLlm(answers("", [call("look"), call("change"), call("watch")])), sandbox, approvals },
    ...{ rules: { autonomy, approvalTools: [] }, parallelCalls, prompt: async () => "", maxSteps: 3 },
    contextBytes: 100_000,
  });
  const context = contextWindow({ store, contextBytes: 100_000 });
  const run = pipeline([oneAtATime(store, ends), withSlots(slots), context], agent);
  const turns = createTurns({ store, run, ends, commands: [], maxTurns: 9, maxWaitingPerSession: 9 });
  const ended = Promise.withResolvers<SessionEvent>();
  const { turnId } = await turns.accept(
    { ...{ sessionId: "s", principal: operator, channel: "websocket", text: "go" }, request: plainRequest },
    (event) => {
      if (endsTurn(event.event)) ended.resolve(event);
    },
  );
  await looking.promise;
  return {
    ...{ store, turns, approvals, slots, turnId, did, looked, ended: ended.promise },
    reason: () => reason,
    refused: () => refused,
    away(isNow: boolean) {
      isAway = isNow;
    },
  };
}

/** Pauses until it is so. */
async function until(isSo: () => boolean | Promise<boolean>) {
  while (!(await isSo())) await Bun.sleep(1);
}

test("a turn of which a step could not be stored begins no call any more", async () => {
  const { turns, away, looked, ended, did } = await begun(1, "full");

  away(true);
  looked.resolve("seen");
  expect((await ended).event).toMatchObject({ type: "failed", code: "unavailable" });
  away(false);
  await turns.drain(5000);

  // The next one may have begun while the result of the first was on its way to the store.
  expect(did).not.toContain("watch");
});

test("a turn of which a step could not be stored ends its other calls, its question and its slot", async () => {
  const made = await begun(3, "supervised");
  const { store, turns, turnId, approvals, slots, away, looked, ended, reason } = made;
  await until(async () => (await approvals.pending(operator)).length > 0);

  away(true);
  looked.resolve("seen");
  await ended;
  // The result, the end of the turn, and the end of the question.
  await until(() => made.refused() === 3);
  away(false);
  await turns.drain(5000);

  expect(reason()).toMatchObject({ code: "cancelled" });
  expect(await store.read((tx) => rows.find(tx, turnId))).toMatchObject({ state: "failed" });
  expect(await approvals.pending(operator)).toEqual([]);
  expect(slots.running).toBe(0);
});

test("a turn that another process has taken over ends its calls here, and leaves it their question", async () => {
  const { store, turns, turnId, approvals, looked, reason } = await begun(3, "supervised");
  await until(async () => (await approvals.pending(operator)).length > 0);
  const row = await store.read((tx) => rows.find(tx, turnId));
  if (row === undefined) throw new Error("It is kept.");
  await store.write((tx) => leases.takeOver(tx, turnId, row, "another process"));

  looked.resolve("seen");
  await turns.drain(5000);
  await until(() => reason() !== undefined);

  expect(isStopping(reason())).toBe(true);
  expect(await approvals.pending(operator)).toHaveLength(1);
});
