import { expect, test } from "bun:test";
import { createApprovals } from "../../src/agent/approvals.ts";
import { sessionCommands } from "../../src/agent/session-commands.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { plainRequest, type RunTurn, type TurnEvent } from "../../src/agent/turn.ts";
import { AppError } from "../../src/errors.ts";
import { assistantMessage, noUsage } from "../../src/llm/message.ts";
import { commands } from "../../src/middleware/commands.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { beginErase } from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { eraseSession } from "../../src/turns/retention.ts";
import { endsTurn, type SessionEvent, type Turns } from "../../src/turns/turns.ts";

const operator = { name: "operator", scope: "operator" } as const;
const leaseMs = 200;

/** One store as several processes see it: what one signals the others hear. */
async function sharedStore() {
  const store = await memoryStore();
  const listeners = new Map<string, Set<(payload: string) => void>>();
  const signalled: [string, string][] = [];
  const shared: Store = {
    ...store,
    async write(fn) {
      const value = await store.write(fn);
      for (const [topic, payload] of signalled.splice(0)) {
        for (const listener of listeners.get(topic) ?? []) queueMicrotask(() => listener(payload));
      }
      return value;
    },
    async signal(_tx, topic, payload) {
      signalled.push([topic, payload]);
    },
    listen(topic, listener) {
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(listener));
      return () => all.delete(listener);
    },
  };
  return shared;
}

/** Ticks whenever it is looked at, so that no two moments of a test are one. */
let clock = 0;
const now = () => ++clock;

/** A process: its own turns over the shared store, and a store that the test can stop, as SIGSTOP would. */
function aProcess(store: Store, agent: RunTurn) {
  let stopped: PromiseWithResolvers<void> | undefined;
  const own: Store = {
    ...store,
    async write(fn) {
      await stopped?.promise;
      return store.write(fn);
    },
  };
  const ends = createTurnEnds(own, 50);
  const list = sessionCommands({
    store: own,
    models: { list: async () => [], check: async () => {} },
    approvals: createApprovals(own, { timeoutMs: 1000 }),
    // As `assemble` hands it in.
    async stop(turn) {
      const running = await turns.current(turn.sessionId ?? "");
      return running === undefined || running === turn.id ? false : turns.cancel(running);
    },
  });
  const context = contextWindow({ store: own, contextBytes: 100_000 });
  const run = pipeline([commands(list, "now"), oneAtATime(own, ends), context], agent);
  const turns: Turns = createTurns({
    store: own,
    run,
    ends,
    commands: list,
    maxTurns: 100,
    maxWaitingPerSession: 50,
    leaseMs,
    now,
  });
  return {
    turns,
    sleep() {
      stopped = Promise.withResolvers();
    },
    wake() {
      stopped?.resolve();
      stopped = undefined;
    },
  };
}

const answer = (text: string): TurnEvent[] => [
  { type: "text", text },
  { type: "message", message: assistantMessage(text), usage: noUsage, model: "m" },
  { type: "done", finishReason: "stop", usage: noUsage, model: "m", clientCalls: [] },
];

const says = (text: string, sessionId = "s") => ({
  sessionId,
  principal: operator,
  channel: "websocket",
  text,
  request: plainRequest,
});

/** Collects what is told of a session; `end` resolves when so many turns have ended. */
async function follow(turns: ReturnType<typeof aProcess>["turns"], sessionId: string, ends: number) {
  const events: SessionEvent[] = [];
  const ended = Promise.withResolvers<void>();
  await turns.follow(sessionId, "0", (event) => {
    events.push(event);
    if (events.filter((each) => endsTurn(each.event)).length === ends) ended.resolve();
  });
  return { events, ended: ended.promise };
}

const conversation = async (store: Store, sessionId = "s") => {
  const path = await store.read(async (tx) => {
    const session = await sessions.find(tx, sessionId);
    return session?.leafId === undefined ? [] : sessions.path(tx, session.leafId, 1_000_000);
  });
  return path.map(({ message }) => `${message.role}: ${JSON.parse(message.json).content}`);
};

test("turns of one session that come to several processes run one at a time, in order of arrival, and all hear them", async () => {
  const store = await sharedStore();
  let atOnce = 0;
  let most = 0;
  const agent: RunTurn = async function* (turn) {
    most = Math.max(most, ++atOnce);
    await Bun.sleep(1);
    yield* answer(`echo ${turn.text}`);
    atOnce--;
  };
  const processes = [1, 2, 3].map(() => aProcess(store, agent));
  for (const { turns } of processes) await turns.recover();
  await processes[0]?.turns.accept(says("0"));
  const heard = await Promise.all(processes.map(({ turns }) => follow(turns, "s", 9)));

  for (let n = 1; n < 9; n++) await processes[n % 3]?.turns.accept(says(`${n}`));
  await Promise.all(heard.map((each) => each.ended));

  expect(most).toBe(1);
  expect(await conversation(store)).toEqual(
    Array.from({ length: 9 }, (_, n) => [`user: ${n}`, `assistant: echo ${n}`]).flat(),
  );
  const texts = (events: readonly SessionEvent[]) =>
    events.flatMap(({ event }) => (event.type === "text" ? [event.text] : []));
  for (const { events } of heard)
    expect(texts(events)).toEqual(Array.from({ length: 9 }, (_, n) => `echo ${n}`));
  for (const { turns } of processes) await turns.drain(0);
});

test("a process that sleeps through its lease loses its turn to another one, and its late write is refused", async () => {
  const store = await sharedStore();
  const spoke = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const sleeper = aProcess(store, async function* (turn) {
    yield { type: "text", text: "the sleeper " };
    spoke.resolve();
    await goOn.promise;
    yield* answer(`late ${turn.text}`);
  });
  const other = aProcess(store, async function* (turn) {
    yield* answer(`taken over ${turn.text}`);
  });
  await sleeper.turns.recover();
  await other.turns.recover();
  const told: SessionEvent[] = [];
  await sleeper.turns.accept(says("hi"), (event) => told.push(event));
  await sleeper.turns.accept(says("and then"));
  await spoke.promise;

  sleeper.sleep();
  const heard = await follow(other.turns, "s", 2);
  await heard.ended;
  sleeper.wake();
  goOn.resolve();
  await sleeper.turns.drain(5000);

  expect(await conversation(store)).toEqual([
    "user: hi",
    "assistant: taken over hi",
    "user: and then",
    "assistant: taken over and then",
  ]);
  expect(heard.events.some(({ event }) => event.type === "status" && event.code === "restarted")).toBe(true);
  expect(told.map(({ event }) => event.type).at(-1)).toBe("done");
  await other.turns.drain(0);
});

test("who follows a session hears it also when another process has deleted it and begun it anew", async () => {
  const store = await sharedStore();
  const [one, two] = [1, 2].map(() =>
    aProcess(store, async function* (turn) {
      yield* answer(turn.text);
    }),
  );
  if (one === undefined || two === undefined) throw new Error("There are two.");
  for (const { turns } of [one, two]) await turns.recover();
  const say = async (text: string) => {
    const ended = Promise.withResolvers<void>();
    await one.turns.accept(says(text), ({ event }) => {
      if (endsTurn(event)) ended.resolve();
    });
    await ended.promise;
  };
  await say("first");
  const heard = await follow(two.turns, "s", 5);
  await say("second");
  await say("third");

  await store.write((tx) => beginErase(tx, "s"));
  await eraseSession(store, "s");
  // The first of it has fewer events than were told of the one before.
  await say("anew");
  await say("and on");
  await heard.ended;

  const texts = heard.events.flatMap(({ event }) => (event.type === "text" ? [event.text] : []));
  expect(texts).toEqual(["first", "second", "third", "anew", "and on"]);
  for (const { turns } of [one, two]) await turns.drain(0);
});

test("cancel ends a turn that runs in another process", async () => {
  const store = await sharedStore();
  const begun = Promise.withResolvers<void>();
  const one = aProcess(store, async function* (turn) {
    yield { type: "text", text: "long" };
    begun.resolve();
    await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
    throw new AppError("cancelled", "cut");
  });
  const two = aProcess(store, async function* () {
    yield* answer("never");
  });
  await one.turns.recover();
  await two.turns.recover();
  const { turnId } = await one.turns.accept(says("hi"));
  await begun.promise;
  const heard = await follow(two.turns, "s", 1);

  expect(await two.turns.cancel(turnId)).toBe(true);
  await heard.ended;

  expect(heard.events.at(-1)?.event).toMatchObject({ type: "failed", code: "cancelled" });
  expect(await two.turns.cancel(turnId)).toBe(false);
  for (const { turns } of [one, two]) await turns.drain(0);
});

test("current names the turn that runs, in whichever process, so that a /stop in any ends it", async () => {
  const store = await sharedStore();
  const begun = Promise.withResolvers<void>();
  const agent: RunTurn = async function* (turn) {
    begun.resolve();
    if (turn.text === "long") await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
    yield* answer(turn.text);
  };
  const one = aProcess(store, agent);
  const two = aProcess(store, agent);
  for (const { turns } of [one, two]) await turns.recover();
  const { turnId } = await one.turns.accept(says("long"));
  await begun.promise;
  await two.turns.accept(says("waits"));
  const heard = await follow(two.turns, "s", 3);

  expect(await two.turns.current("s")).toBe(turnId);
  await two.turns.accept(says("/stop"));
  await heard.ended;

  const ends = heard.events.filter(({ event }) => endsTurn(event));
  expect(ends.find((each) => each.turnId === turnId)?.event).toMatchObject({ code: "cancelled" });
  expect(ends.map(({ event }) => event.type).toSorted()).toEqual(["done", "failed", "notice"]);
  for (const { turns } of [one, two]) await turns.drain(0);
});
