import { expect, test } from "bun:test";
import { plainRequest } from "../../src/agent/turn.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { AppError } from "../../src/errors.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { endsTurn, type NewTurn, type SessionEvent } from "../../src/turns/turns.ts";
import { echo } from "../gateway/helpers/runs.ts";

const hello: NewTurn = {
  sessionId: "s",
  principal: { name: "operator", scope: "operator" },
  channel: "websocket",
  text: "hello",
  messageId: "m",
  request: plainRequest,
};

/** Turns over a store whose reads fail while `isAway`; `hello` was answered. */
async function answered() {
  const store = await memoryStore();
  const state = { isAway: false };
  const failing: Store = {
    ...store,
    read: (fn) =>
      state.isAway ? Promise.reject(new AppError("unavailable", "The disk is away.")) : store.read(fn),
  };
  const ends = createTurnEnds(failing);
  const turns = createTurns({
    store: failing,
    run: echo,
    ends,
    commands: [],
    maxTurns: 10,
    maxWaitingPerSession: 10,
  });
  const over = Promise.withResolvers<void>();
  await turns.accept(hello, ({ event }) => endsTurn(event) && over.resolve());
  await over.promise;
  return { store, state, turns };
}

test("accept tells a repeat behind itself to a listener that has room, one event at a time", async () => {
  const { store, turns } = await answered();
  const heard: SessionEvent[] = [];
  let asked = 0;
  const listener = Object.assign((event: SessionEvent) => void heard.push(event), {
    async room() {
      expect(heard).toHaveLength(++asked);
    },
  });

  const { told, ended } = await turns.accept(hello, listener);
  expect({ ended, heard }).toEqual({ ended: true, heard: [] });
  await told;

  expect(heard.at(-1)?.event.type).toBe("done");
  expect(asked).toBe(heard.length);
  await store.close();
});

test("a repeat that cannot be read is told to have failed, so that it is asked for again", async () => {
  const { store, state, turns } = await answered();
  const heard: SessionEvent[] = [];
  const listener = Object.assign((event: SessionEvent) => void heard.push(event), { room: () => undefined });

  const { told } = await turns.accept(hello, listener);
  state.isAway = true;
  await told;

  expect(heard.map(({ event }) => event)).toEqual([
    { type: "failed", code: "unavailable", message: "The disk is away." },
  ]);
  await store.close();
});

test("a repeat is not read on when its reader has left", async () => {
  const { store, turns } = await answered();
  const heard: SessionEvent[] = [];
  const listener = Object.assign((event: SessionEvent) => void heard.push(event), {
    room: () => Promise.reject(new AppError("cancelled", "It has left.")),
  });

  await (
    await turns.accept(hello, listener)
  ).told;

  expect(heard).toHaveLength(1);
  await store.close();
});
