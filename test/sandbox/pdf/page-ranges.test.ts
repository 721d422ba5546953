import { expect, test } from "bun:test";
import { pagesOf, parsePageRanges, rangesAfter } from "../../../src/sandbox/pdf/page-ranges.ts";

test.each([
  ["7", [7]],
  ["1-3,7", [1, 2, 3, 7]],
  [" 2 - 3 , 9-", [2, 3, 9, 10]],
  ["9-99999", [9, 10]],
  ["11", []],
])("parsePageRanges reads %j", (text, pages) => {
  expect([...pagesOf(parsePageRanges(text), 10)]).toEqual(pages);
});

test.each([
  "",
  "0",
  "a",
  "1,,2",
  "3-1",
  "-3",
  "1-2-3",
  "1;2",
  "1e3",
  "9999999999",
  `1${",1".repeat(200)}`,
  "1\n2",
])("parsePageRanges refuses %j", (text) => {
  expect(() => parsePageRanges(text)).toThrow("such as 1-3,7");
});

test("rangesAfter tells what is left in words that parsePageRanges takes", () => {
  const ranges = parsePageRanges("2-5,9,20-");
  expect(rangesAfter(ranges, 30, 0)).toBe("2-5,9,20-30");
  expect(rangesAfter(ranges, 30, 2)).toBe("4-5,9,20-30");
  expect(rangesAfter(ranges, 30, 4)).toBe("9,20-30");
  expect(rangesAfter(ranges, 30, 6)).toBe("21-30");
  expect(rangesAfter(ranges, 30, 16)).toBe("");
  expect(rangesAfter(parsePageRanges("50-"), 30, 0)).toBe("");
});
