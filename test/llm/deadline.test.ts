import { expect, test } from "bun:test";
import { startDeadline } from "../../src/llm/deadline.ts";

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

test("startDeadline aborts when its time is over and says that it was that", async () => {
  const deadline = startDeadline(new AbortController().signal, 5);
  await aborted(deadline.signal);
  expect(deadline.expired()).toBe(true);
});

test("startDeadline aborts with its parent, also with one that has aborted before", () => {
  const parent = new AbortController();
  const deadline = startDeadline(parent.signal, 60_000);
  parent.abort();
  expect(deadline.signal.aborted).toBe(true);
  expect(deadline.expired()).toBe(false);
  const late = startDeadline(parent.signal, 60_000);
  expect(late.signal.aborted).toBe(true);
  deadline.end();
  late.end();
});

test("startDeadline can be shortened", async () => {
  const deadline = startDeadline(new AbortController().signal, 60_000);
  deadline.shorten(1);
  await aborted(deadline.signal);
  expect(deadline.expired()).toBe(true);
});

test("startDeadline does nothing more after its end", async () => {
  const parent = new AbortController();
  const deadline = startDeadline(parent.signal, 1);
  deadline.end();
  parent.abort();
  await aborted(AbortSignal.timeout(5));
  expect(deadline.signal.aborted).toBe(false);
});
