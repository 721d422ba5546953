import { expect, test } from "bun:test";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { plainRequest, type RunTurn } from "../../src/agent/turn.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { endsTurn, type SessionEvent } from "../../src/turns/turns.ts";

/** Turns that end when the test says so, by their text. */
function gated(store: Store) {
  const log: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const agent: RunTurn = async function* (turn) {
    log.push(`${turn.text} begins`);
    const gate = Promise.withResolvers<void>();
    gates.set(turn.text, gate);
    await gate.promise;
    log.push(`${turn.text} ends`);
    yield { type: "notice", text: turn.text };
  };
  const ends = createTurnEnds(store);
  const step = oneAtATime(store, ends);
  const run: RunTurn = (turn) => step(turn, agent);
  const turns = createTurns({ store, run, ends, commands: [], maxTurns: 10, maxWaitingPerSession: 10 });
  return { turns, log, end: (id: string) => gates.get(id)?.resolve() };
}

const until = async (condition: () => boolean) => {
  for (const deadline = performance.now() + 10_000; !condition() && performance.now() < deadline;)
    await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
};

/** Says something, and collects what is told of it; `ended` resolves at the end of its turn. */
async function say({ turns }: ReturnType<typeof gated>, text: string, sessionId: string) {
  const events: SessionEvent[] = [];
  const ended = Promise.withResolvers<void>();
  const accepted = await turns.accept(
    {
      sessionId,
      principal: { name: "operator", scope: "operator" },
      channel: "websocket",
      text,
      request: plainRequest,
    },
    (event) => {
      events.push(event);
      if (endsTurn(event.event)) ended.resolve();
    },
  );
  return { ...accepted, events, ended: ended.promise };
}

test("oneAtATime runs the turns of a session in order of arrival, and other sessions beside them", async () => {
  const all = gated(await memoryStore());
  const first = await say(all, "a1", "a");
  const second = await say(all, "a2", "a");
  const other = await say(all, "b1", "b");
  await until(() => all.log.includes("b1 begins"));

  expect(all.log).toEqual(["a1 begins", "b1 begins"]);
  all.end("a1");
  await until(() => all.log.includes("a2 begins"));
  all.end("a2");
  all.end("b1");
  await Promise.all([first.ended, second.ended, other.ended]);

  expect(all.log.indexOf("a1 ends")).toBeLessThan(all.log.indexOf("a2 begins"));
  expect(second.events[0]?.event).toMatchObject({ type: "status", code: "queued" });
});

test("oneAtATime keeps the order when a turn is cancelled while it waits", async () => {
  const all = gated(await memoryStore());
  await say(all, "1", "a");
  const second = await say(all, "2", "a");
  const third = await say(all, "3", "a");
  await until(() => all.log.length === 1 && second.events.length > 0);

  await all.turns.cancel(second.turnId);
  await second.ended;
  expect(all.log).toEqual(["1 begins"]);
  all.end("1");
  await until(() => all.log.includes("3 begins"));
  all.end("3");
  await third.ended;

  expect(second.events.at(-1)?.event).toMatchObject({ type: "failed", code: "cancelled" });
  expect(all.log).toEqual(["1 begins", "1 ends", "3 begins", "3 ends"]);
});
