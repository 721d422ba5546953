import { expect, test } from "bun:test";
import { AppError, cancelled } from "../../src/errors.ts";
import { withRetry } from "../../src/llm/retry.ts";
import { readCounters } from "../../src/telemetry/metrics.ts";
import { aRequest, collect, kinds } from "./asking.ts";
import { failed, lost, scripted, text, whole } from "./scripted.ts";

const options = (waits: number[] = []) => ({
  retries: 3,
  totalMs: 100_000,
  wait: async (ms: number) => void waits.push(ms),
});

test("withRetry asks again until it is answered, says so, and counts", async () => {
  const waits: number[] = [];
  const { llm, requests } = scripted([[failed(503)], [lost()], whole("hi")]);
  const before = readCounters().totalLlmRetries;
  const events = await collect(withRetry(llm, options(waits))(aRequest()));
  expect(kinds(events)).toEqual(["status", "status", "hi", "answer"]);
  expect(events[0]).toMatchObject({ code: "retry", text: expect.stringMatching(/^provider busy, next try/) });
  expect(requests).toHaveLength(3);
  expect(readCounters().totalLlmRetries - before).toBe(2);
  expect(waits[0]).toBeLessThanOrEqual(500);
  expect(waits[1]).toBeLessThanOrEqual(1000);
});

test.each([
  [8000, "provider busy, next try in 8 s"],
  [0, "provider busy, next try now"],
])("withRetry waits the %p ms that it is told", async (retryAfterMs, said) => {
  const waits: number[] = [];
  const { llm } = scripted([[failed(429, { retryAfterMs })], whole("hi")]);
  const [status] = await collect(withRetry(llm, options(waits))(aRequest()));
  expect(status).toEqual({ type: "status", code: "retry", text: said, retryInMs: retryAfterMs });
  expect(waits).toEqual([retryAfterMs]);
});

test("withRetry draws its waits at random from a time that doubles", async () => {
  const waits: number[] = [];
  for (let left = 50; left > 0; left--) {
    const { llm } = scripted([[failed(500)], [failed(500)], [failed(500)], whole("hi")]);
    await collect(withRetry(llm, options(waits))(aRequest()));
  }
  const thirds = waits.filter((_, at) => at % 3 === 2);
  expect(new Set(thirds).size).toBeGreaterThan(25);
  expect(Math.max(...thirds)).toBeGreaterThan(1000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
});

test.each([
  ["a refusal", failed(400)],
  ["a wrong key", failed(401)],
  ["an account without credit", failed(429, { retryable: false })],
  ["a time-out", new AppError("provider_timeout", "slow", { upstream: { retryable: false } })],
  ["a wait that is too long", failed(429, { retryAfterMs: 61_000 })],
  ["an error of our own", new Error("bug")],
])("withRetry does not ask again after %s", async (_, error) => {
  const { llm, requests } = scripted([[error], whole("hi")]);
  await expect(collect(withRetry(llm, options())(aRequest()))).rejects.toBe(error);
  expect(requests).toHaveLength(1);
});

test("withRetry never asks again after a token went out", async () => {
  const { llm, requests } = scripted([[text("a"), lost()], whole("hi")]);
  await expect(collect(withRetry(llm, options())(aRequest()))).rejects.toMatchObject({ message: "lost" });
  expect(requests).toHaveLength(1);
});

test("withRetry gives up after its tries with the last error", async () => {
  const last = failed(502);
  const { llm, requests } = scripted([[failed(500)], [failed(500)], [failed(500)], [last]]);
  await expect(collect(withRetry(llm, options())(aRequest()))).rejects.toBe(last);
  expect(requests).toHaveLength(4);
});

test("withRetry keeps all tries within the time of one call", async () => {
  const tooLate = failed(429, { retryAfterMs: 20_000 });
  const { llm, requests } = scripted([[lost()], [tooLate]]);
  const asked = withRetry(llm, { ...options(), totalMs: 15_000 })(aRequest());
  await expect(collect(asked)).rejects.toBe(tooLate);
  expect(requests[1]?.timeoutMs).toBeLessThanOrEqual(15_000);
});

test("withRetry waits outside the slot, and lets go of a wait that is cancelled", async () => {
  const { llm } = scripted([[failed(429, { retryAfterMs: 50_000 })], whole("hi")]);
  const cancel = new AbortController();
  let outside = 0;
  const request = aRequest({
    signal: cancel.signal,
    outsideSlot: async (wait) => {
      outside++;
      queueMicrotask(() => cancel.abort());
      return wait();
    },
  });
  const asked = collect(withRetry(llm, { retries: 3, totalMs: 100_000 })(request));
  await expect(asked).rejects.toMatchObject({ code: cancelled().code });
  expect(outside).toBe(1);
});

test("withRetry closes the call when its reader leaves, before the first token and after", async () => {
  const status = { type: "status", code: "retry", text: "x" } as const;
  for (const events of [[status, ...whole("hi")], whole("hi")]) {
    const { llm, open } = scripted([events]);
    for await (const _ of withRetry(llm, options())(aRequest())) break;
    expect(open()).toBe(0);
  }
});
