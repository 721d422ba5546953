import { expect, test } from "bun:test";
import { isLeak, memorySlope } from "../../scripts/soak/figures.ts";

/** A process of two hours whose memory goes up and down by 30 MB, and rises by so much an hour. */
const life = (perHour: number, seconds = 7200) =>
  Array.from({ length: seconds }, (_, at) => ({
    pid: 1,
    at,
    memory: 100 + (at % 30) + (perHour * at) / 3600,
    descriptors: 10,
  }));

test("memorySlope sees through what comes and goes to what stays", () => {
  const slope = memorySlope(life(5));
  expect(slope?.perHour).toBeCloseTo(5, 0);
  expect(memorySlope(life(5, 10))).toBeUndefined();
  expect(memorySlope([])).toBeUndefined();
});

test("isLeak holds for a slope above 1 MB an hour, once a process is no longer young", () => {
  const rising = memorySlope(life(5));
  const flat = memorySlope(life(0));
  if (rising === undefined || flat === undefined) throw new Error("There are too few looks.");
  expect(isLeak(rising, 7200)).toBe(true);
  expect(isLeak(rising, 60)).toBe(false);
  expect(isLeak(flat, 7200)).toBe(false);
  expect(isLeak({ perHour: 9, error: 5 }, 7200)).toBe(false);
  expect(isLeak({ perHour: 3600, error: 5 }, 60)).toBe(false);
  expect(isLeak({ perHour: 3600, error: 5 }, 600)).toBe(true);
});
