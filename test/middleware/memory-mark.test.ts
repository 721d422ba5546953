import { expect, test } from "bun:test";
import { createMemoryMark, memoryMark } from "../../src/middleware/memory-mark.ts";
import { aTurn } from "../helpers/a-turn.ts";

function marked(mark: number, freed = 0) {
  const state = { bytes: 0, now: 0, collected: 0 };
  const memory = createMemoryMark({
    mark: () => mark,
    residentBytes: () => state.bytes,
    now: () => state.now,
    collect: () => {
      state.collected++;
      state.bytes -= freed;
    },
  });
  return { state, memory };
}

test("createMemoryMark looks once a second, and is over while collecting does not help", () => {
  const { state, memory } = marked(100);
  expect(memory.isOver()).toBe(false);
  state.bytes = 101;
  expect(memory.isOver()).toBe(false);
  state.now = 1000;
  expect(memory.isOver()).toBe(true);
  state.bytes = 100;
  state.now = 1999;
  expect(memory.isOver()).toBe(true);
  state.now = 2000;
  expect(memory.isOver()).toBe(false);
  expect(state.collected).toBe(1);
});

test("createMemoryMark is not over what a collection gives back", () => {
  const { state, memory } = marked(100, 50);
  state.bytes = 120;
  expect(memory.isOver()).toBe(false);
});

test("memoryMark refuses a turn without a session as busy, and lets go on what was accepted", async () => {
  const step = memoryMark({ isOver: () => true });
  const next = async function* () {};
  const { sessionId: _, ...lone } = aTurn();
  expect(() => step(lone, next)).toThrow("Server is busy. Please retry.");
  expect(await Array.fromAsync(step({ ...lone, sessionId: "s" }, next))).toEqual([]);
});
