import { expect, test } from "bun:test";
import { plainRequest, type RunTurn, type TurnEvent } from "../../src/agent/turn.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { AppError } from "../../src/errors.ts";
import { assistantMessage } from "../../src/llm/message.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { sweep } from "../../src/turns/retention.ts";
import { endsTurn, type NewTurn, type SessionEvent, type Turns } from "../../src/turns/turns.ts";
import { someUsage } from "../helpers/scripted-llm.ts";

async function* echo(turn: Parameters<RunTurn>[0]): AsyncIterable<TurnEvent> {
  const text = `echo ${turn.text}`;
  yield { type: "text", text };
  if (turn.text === "fail") throw new AppError("provider_error", "The model is down.");
  yield { type: "message", message: assistantMessage(text), usage: someUsage, model: "m" };
  yield { type: "done", finishReason: "stop", usage: someUsage, model: "m", clientCalls: [] };
}

function turnsOver(store: Store): Turns {
  const ends = createTurnEnds(store);
  const run = pipeline([oneAtATime(store, ends)], echo);
  return createTurns({ store, run, ends, commands: [], maxTurns: 10, maxWaitingPerSession: 10 });
}

const says = (text: string): NewTurn => ({
  sessionId: "s",
  principal: { name: "operator", scope: "operator" },
  channel: "websocket",
  text,
  messageId: text,
  request: plainRequest,
});

/** All that is told of a message, to its end. */
async function heard(turns: Turns, text: string): Promise<SessionEvent[]> {
  const all: SessionEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await turns.accept(says(text), (event) => {
    all.push(event);
    if (endsTurn(event.event)) resolve();
  });
  await promise;
  return all;
}

/** Deletes all events, as if years had gone by. */
const forget = (store: Store) =>
  sweep(
    store,
    { sessionMs: 0, eventMs: 1 },
    { signal: new AbortController().signal, now: () => Date.now() + 1e9 },
  );

test("accept answers a message again after its events had their time, and runs nothing", async () => {
  const store = await memoryStore();
  const turns = turnsOver(store);
  const [first] = await heard(turns, "hello");
  await heard(turns, "fail");
  expect((await forget(store)).events).toBeGreaterThan(0);

  const again = await heard(turns, "hello");
  expect(again.map(({ event }) => event)).toEqual([
    { type: "text", text: "echo hello" },
    {
      type: "done",
      finishReason: "stop",
      usage: expect.objectContaining({ outputTokens: 5 }),
      model: "",
      clientCalls: [],
    },
  ]);
  expect(again[0]).toMatchObject({ turnId: first?.turnId, messageId: "hello", sessionId: "s" });
  expect((await heard(turns, "fail")).at(-1)?.event).toEqual({
    type: "failed",
    code: "provider_error",
    message: "The model is down.",
  });
});

test("follow refuses a cursor whose events had their time, and names one that is kept", async () => {
  const store = await memoryStore();
  const turns = turnsOver(store);
  await heard(turns, "one");
  await forget(store);
  await heard(turns, "two");
  const following = turns.follow("s", "0", () => {});
  await expect(following).rejects.toMatchObject({ code: "bad_request", param: "after" });
  const cursor = await following.catch((error: Error) => /resume from cursor (\d+)/.exec(error.message)?.[1]);
  (await turns.follow("s", String(cursor), () => {}))();
});

test("recover refuses messages while the store fails, and goes on when it works again", async () => {
  const store = await memoryStore();
  const turns = turnsOver(store);
  await heard(turns, "one");
  let faults = 1;
  const failing: Store = {
    ...store,
    read: (fn) =>
      faults-- > 0 ? Promise.reject(new AppError("unavailable", "The disk is full.")) : store.read(fn),
  };
  const next = turnsOver(failing);
  const recovered = next.recover();
  await expect(next.accept(says("two"))).rejects.toMatchObject({ code: "unavailable" });
  await recovered;
  expect((await heard(next, "two")).at(-1)?.event.type).toBe("done");
});
