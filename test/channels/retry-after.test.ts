import { expect, test } from "bun:test";
import { retryAfterMs } from "../../src/channels/retry-after.ts";

test("retryAfterMs reads seconds and dates, and nothing else", () => {
  const read = (told: string) => retryAfterMs(new Headers({ "retry-after": told }), Date.UTC(2026, 0, 1));
  expect(read("30")).toBe(30_000);
  expect(read("0.5")).toBe(500);
  expect(read("Thu, 01 Jan 2026 00:01:00 GMT")).toBe(60_000);
  expect(read("Wed, 31 Dec 2025 00:00:00 GMT")).toBe(0);
  for (const told of ["", "soon", "-1", "1e9", "Infinity"]) expect(read(told)).toBeUndefined();
});
