import { expect, test } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { memoryStore } from "../../src/store/open.ts";
import { aTurn } from "../helpers/a-turn.ts";

/** An agent whose turns end when the test says so. */
function gated() {
  const log: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const agent: RunTurn = async function* (turn) {
    log.push(`${turn.id} begins`);
    const gate = Promise.withResolvers<void>();
    gates.set(turn.id, gate);
    await gate.promise;
    log.push(`${turn.id} ends`);
    yield { type: "notice", text: turn.id };
  };
  return { agent, log, end: (id: string) => gates.get(id)?.resolve() };
}

const until = async (condition: () => boolean) => {
  for (let n = 0; n < 1000 && !condition(); n++) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
};

test("oneAtATime runs the turns of a session in order of arrival, and other sessions beside them", async () => {
  const { agent, log, end } = gated();
  const run = oneAtATime(await memoryStore());
  const of = (id: string, sessionId: string) =>
    Array.fromAsync(run(aTurn({ id, sessionId, entries: [] }), agent));

  const all = [of("a1", "a"), of("a2", "a"), of("b1", "b")];
  await until(() => log.includes("b1 begins"));
  expect(log).toEqual(["a1 begins", "b1 begins"]);
  end("a1");
  await until(() => log.includes("a2 begins"));
  end("a2");
  end("b1");

  const events = await Promise.all(all);
  expect(log.indexOf("a1 ends")).toBeLessThan(log.indexOf("a2 begins"));
  expect(events[1]?.[0]).toMatchObject({ type: "status", code: "queued" });
});

test("oneAtATime keeps the order when a turn is cancelled while it waits", async () => {
  const { agent, log, end } = gated();
  const run = oneAtATime(await memoryStore());
  const controller = new AbortController();
  const first = Array.fromAsync(run(aTurn({ id: "1", sessionId: "a", entries: [] }), agent));
  const second = Array.fromAsync(
    run(aTurn({ id: "2", sessionId: "a", entries: [], signal: controller.signal }), agent),
  );
  const third = Array.fromAsync(run(aTurn({ id: "3", sessionId: "a", entries: [] }), agent));
  await until(() => log.length === 1);

  controller.abort();
  await expect(second).rejects.toMatchObject({ code: "cancelled" });
  expect(log).toEqual(["1 begins"]);
  end("1");
  await until(() => log.includes("3 begins"));
  end("3");

  await Promise.all([first, third]);
  expect(log).toEqual(["1 begins", "1 ends", "3 begins", "3 ends"]);
});
