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

/** Lets all that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A turn of two calls: the second goes outside when `secondGoes`; each comes back when it is decided. */
function twoCalls() {
  const secondGoes = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const agent: RunTurn = async function* (turn) {
    await Promise.all([
      turn.outsideSlot(() => first.promise),
      secondGoes.promise.then(() => turn.outsideSlot(() => second.promise)),
    ]);
    yield { type: "notice", text: "done" };
  };
  return { agent, secondGoes, first, second };
}

for (const most of [1, 2])
  test(`withSlots takes one slot for a turn of which one call goes outside while another comes back (of ${most})`, async () => {
    const slots = createSlots(most, 5);
    const { agent, secondGoes, first, second } = twoCalls();
    const turn = Array.fromAsync(withSlots(slots)(aTurn(), agent));
    await settle();
    for (let other = 0; other < most; other++) await slots.acquire(signal);

    first.resolve();
    await settle();
    expect(slots.waiting).toBe(1);
    secondGoes.resolve();
    await settle();
    for (let other = 0; other < most; other++) slots.release();
    await settle();
    expect(slots.running).toBe(0);
    second.resolve();

    expect(await turn).toEqual([{ type: "notice", text: "done" }]);
    expect([slots.running, slots.waiting]).toEqual([0, 0]);
  });

test("withSlots takes one slot for a turn of which two calls come back", async () => {
  const slots = createSlots(2, 5);
  const { agent, secondGoes, first, second } = twoCalls();
  const turn = Array.fromAsync(withSlots(slots)(aTurn(), agent));
  await settle();
  for (let other = 0; other < 2; other++) await slots.acquire(signal);

  first.resolve();
  await settle();
  secondGoes.resolve();
  second.resolve();
  await settle();
  expect(slots.waiting).toBe(2);
  for (let other = 0; other < 2; other++) slots.release();

  await turn;
  await settle();
  expect(slots.running).toBe(0);
});

for (const waits of [false, true])
  test(`withSlots takes no slot for a call that ${waits ? "waits to come back at" : "comes back behind"} the end of its turn`, async () => {
    const slots = createSlots(1, 5);
    const person = Promise.withResolvers<void>();
    const agent: RunTurn = async function* (turn) {
      const call = turn.outsideSlot(() => person.promise);
      yield { type: "notice", text: "asked" };
      await call;
    };
    const turn = withSlots(slots)(aTurn(), agent)[Symbol.asyncIterator]();
    await turn.next();
    await slots.acquire(signal);

    if (waits) person.resolve();
    await settle();
    // Who pulled it fails: an event could not be stored.
    await turn.return?.();
    person.resolve();
    await settle();
    slots.release();
    await settle();

    expect([slots.running, slots.waiting]).toEqual([0, 0]);
  });
