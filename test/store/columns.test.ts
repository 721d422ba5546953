import { expect, test } from "bun:test";
import * as v from "valibot";
import { int, maybeInt, maybeText } from "../../src/store/columns.ts";

test("int takes a number as either database hands it out", () => {
  for (const value of [7, 7n, "7"]) expect(v.parse(int, value)).toBe(7);
  expect(v.parse(int, "-9007199254740991")).toBe(-9007199254740991);
});

test("int refuses what it would have to round, and what is no whole number", () => {
  for (const value of [
    2 ** 53,
    2n ** 53n,
    "9007199254740993",
    1.5,
    "1.5",
    "",
    " 1",
    "x",
    null,
    undefined,
    Number.NaN,
  ])
    expect(v.safeParse(int, value).success).toBe(false);
});

test("maybeText and maybeInt leave null out, but not a column that is not there", () => {
  expect(v.parse(maybeText, null)).toBeUndefined();
  expect(v.parse(maybeInt, null)).toBeUndefined();
  expect(v.parse(maybeInt, "5")).toBe(5);
  expect(v.safeParse(v.object({ a: maybeText }), {}).success).toBe(false);
});
