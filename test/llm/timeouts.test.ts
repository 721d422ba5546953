import { expect, test } from "bun:test";
import { type Limits, startTimeouts } from "../../src/llm/timeouts.ts";

const long = 60_000;
const start = (limits: Partial<Limits>, parent = new AbortController().signal) =>
  startTimeouts(parent, { firstTokenMs: long, silenceMs: long, totalMs: long, ...limits });
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

test.each(["firstTokenMs", "totalMs"] as const)(
  "startTimeouts aborts when %s is over and says so",
  async (limit) => {
    const timeouts = start({ [limit]: 5 });
    await aborted(timeouts.signal);
    expect(timeouts.expired()).toBe(limit);
  },
);

test("startTimeouts counts silence from the first token on, also when that limit is the nearer one", async () => {
  const timeouts = start({ silenceMs: 5 });
  timeouts.heard();
  timeouts.listen(false);
  timeouts.heard();
  timeouts.listen(true);
  await aborted(timeouts.signal);
  expect(timeouts.expired()).toBe("silenceMs");
});

test("startTimeouts does not count the time that our own reader takes as silence", async () => {
  const timeouts = start({ silenceMs: 5 });
  timeouts.listen(true);
  timeouts.heard();
  await Bun.sleep(30);
  expect(timeouts.signal.aborted).toBe(false);
  timeouts.listen(true);
  await aborted(timeouts.signal);
  expect(timeouts.expired()).toBe("silenceMs");
});

test("startTimeouts aborts with its parent, also with one that has aborted before", () => {
  const parent = new AbortController();
  const timeouts = start({}, parent.signal);
  parent.abort();
  expect(timeouts.signal.aborted).toBe(true);
  expect(timeouts.expired()).toBeUndefined();
  expect(start({}, parent.signal).signal.aborted).toBe(true);
});

test("startTimeouts can be shortened", async () => {
  const timeouts = start({});
  timeouts.shorten(5);
  await aborted(timeouts.signal);
  expect(timeouts.expired()).toBe("totalMs");
});

test("startTimeouts does nothing more after its end", async () => {
  const parent = new AbortController();
  const timeouts = start({ totalMs: 1 }, parent.signal);
  timeouts.end();
  parent.abort();
  await Bun.sleep(5);
  expect(timeouts.signal.aborted).toBe(false);
});
