import { expect, test } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { createSlots, withSlots } from "../../src/middleware/slots.ts";
import { aTurn } from "../helpers/a-turn.ts";

const signal = new AbortController().signal;

test("createSlots hands a slot that is given back to who waited longest", async () => {
  const slots = createSlots(1, 5);
  const order: string[] = [];
  await slots.acquire(signal);
  const first = slots.acquire(signal).then(() => order.push("first"));
  const second = slots.acquire(signal).then(() => order.push("second"));

  slots.release();
  await first;
  expect(order).toEqual(["first"]);
  slots.release();
  await second;

  expect(order).toEqual(["first", "second"]);
  expect(slots.running).toBe(1);
});

test("createSlots refuses as busy when too many wait, but never who comes back", async () => {
  const slots = createSlots(1, 1);
  await slots.acquire(signal);
  const waiting = slots.acquire(signal);

  await expect(slots.acquire(signal)).rejects.toMatchObject({ code: "busy" });
  const back = slots.acquire(signal, true);
  slots.release();
  slots.release();

  await Promise.all([waiting, back]);
});

test("createSlots loses no slot to a turn that was cancelled while it waited", async () => {
  const slots = createSlots(1, 5);
  const controller = new AbortController();
  await slots.acquire(signal);
  const gone = slots.acquire(controller.signal);
  controller.abort();
  slots.release();

  await expect(gone).rejects.toMatchObject({ code: "cancelled" });
  await slots.acquire(signal);
  expect(slots.running).toBe(1);
});

test("withSlots gives the slot back while a turn waits for a person, and at its end", async () => {
  const slots = createSlots(1, 5);
  const asked = Promise.withResolvers<void>();
  const agent: RunTurn = async function* (turn) {
    await turn.outsideSlot(() => asked.promise);
    yield { type: "notice", text: "decided" };
  };
  const turn = Array.fromAsync(withSlots(slots)(aTurn(), agent));
  await Promise.resolve();
  await Promise.resolve();

  await slots.acquire(signal);
  asked.resolve();
  slots.release();

  expect(await turn).toEqual([{ type: "notice", text: "decided" }]);
  expect(slots.running).toBe(0);
});
