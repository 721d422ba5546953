import { expect } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import type { Store } from "../../src/store/open.ts";
import { aHouse, says } from "../channels/a-house.ts";
import { echo } from "../gateway/helpers/runs.ts";
import { losesCommits } from "../helpers/lost-commits.ts";
import { until } from "../helpers/until.ts";
import { forEachStore } from "../store/stores.ts";

/** An assembled server on a store that loses answers, and what its agent was asked. */
async function aServer(store: Store, run: RunTurn = echo) {
  const asked: string[] = [];
  const lossy = losesCommits(store);
  const counting: RunTurn = (turn) => {
    asked.push(turn.text);
    return run(turn);
  };
  const house = await aHouse({ store: lossy.store, shared: true, run: counting });
  return { ...lossy, ...house, asked, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() };
}

const answered = (house: { provider: { texts(): string[] } }, texts: readonly string[]) =>
  until(`answered is ${texts.join(", ")}`, () => house.provider.texts().length >= texts.length).then(() =>
    expect(house.provider.texts()).toEqual([...texts]),
  );

forEachStore("a message whose commit was stored and not told is taken in all the same", async (store) => {
  await using server = await aServer(store);
  await server.outbox.start();
  await server.turns.recover();
  server.lose(/INSERT INTO turns/);
  expect(await server.take(says("first"))).toMatchObject({ kind: "accepted" });
  await answered(server, ["You said: first"]);
  await server.take(says("second"));
  await answered(server, ["You said: first", "You said: second"]);
  expect(server.lost()).toBe(1);
  expect(server.asked).toEqual(["first", "second"]);
});

forEachStore("a message that was refused, and is stored, is answered once", async (store) => {
  await using server = await aServer(store);
  await server.outbox.start();
  await server.turns.recover();
  server.lose(/INSERT INTO turns/, /FROM turns WHERE id = /);
  await expect(server.take(says("first"))).rejects.toMatchObject({ code: "unavailable" });
  // The provider repeats what was not acknowledged.
  expect(await server.take(says("first"))).toMatchObject({ kind: "repeated" });
  await server.take(says("second"));
  await answered(server, ["You said: first", "You said: second"]);
  expect(server.lost()).toBe(2);
  expect(server.asked).toEqual(["first", "second"]);
});

forEachStore("a turn that was taken over by a commit that was not told is gone on with", async (store) => {
  const begun = Promise.withResolvers<void>();
  {
    await using gone = await aServer(store, async function* (turn) {
      begun.resolve();
      yield { type: "text", text: "…" };
      await new Promise((_, reject) => turn.signal.addEventListener("abort", reject));
    });
    await gone.take(says("first"));
    await begun.promise;
  }
  await using server = await aServer(store);
  server.lose(/UPDATE turns SET owner/);
  await server.outbox.start();
  await server.turns.recover();
  await server.take(says("second"));
  await answered(server, ["You said: first", "You said: second"]);
  expect(server.lost()).toBe(1);
  expect(server.asked).toEqual(["first", "second"]);
});

forEachStore("a turn whose beginning was stored and not told fails, and the next one runs", async (store) => {
  const goOn = Promise.withResolvers<void>();
  await using server = await aServer(store, async function* (turn) {
    await goOn.promise;
    yield* echo(turn);
  });
  await server.outbox.start();
  await server.turns.recover();
  await server.take(says("first"));
  await server.take(says("second"));
  await until("the first runs", () => server.asked.length === 1);
  server.lose(/UPDATE turns SET state = 'running'/);
  goOn.resolve();
  await until("an answer was lost", () => server.lost() === 1);
  await server.take(says("third"));
  await until("all are answered", () => server.provider.texts().length === 3);
  const texts = server.provider.texts();
  expect(texts).toEqual(["You said: first", expect.stringContaining("Error"), "You said: third"]);
  expect(server.asked).toEqual(["first", "third"]);
});

forEachStore("a turn whose end was stored and not told is answered once, at once", async (store) => {
  await using server = await aServer(store);
  await server.outbox.start();
  await server.turns.recover();
  server.lose(/UPDATE turns SET state = \?, error_code/);
  await server.take(says("first"));
  await answered(server, ["You said: first"]);
  await server.take(says("second"));
  await answered(server, ["You said: first", "You said: second"]);
  expect(server.lost()).toBe(1);
  expect(server.asked).toEqual(["first", "second"]);
});
