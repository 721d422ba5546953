import { expect, test } from "bun:test";
import { cellText, tableOf } from "../../../src/sandbox/databases/result-table.ts";

test.each([
  [null, "NULL"],
  ["", ""],
  [9_223_372_036_854_775_807n, "9223372036854775807"],
  [1.5, "1.5"],
  [true, "true"],
  [new Date(0), "1970-01-01T00:00:00.000Z"],
  [new Date(Number.NaN), "(no valid date)"],
  [new Uint8Array([1, 255]), "x'01ff' (2 bytes)"],
  [{ a: [1n] }, '{"a":["1"]}'],
  ["x".repeat(3000), `${"x".repeat(1000)}… (3000 characters)`],
])("cellText shows %p", (value, text) => {
  expect(cellText(value)).toBe(text);
});

test("cellText shows the beginning of a long blob, and its size", () => {
  expect(cellText(new Uint8Array(5000))).toBe(`x'${"00".repeat(32)}…' (5000 bytes)`);
});

test("tableOf takes 200 rows, or fewer long ones, and never asks for more than one beyond", () => {
  let asked = 0;
  function* rows(length: number) {
    for (;;) yield [(asked += 1), "x".repeat(length)];
  }
  const many = tableOf(rows(1), ["n", "text"]);
  expect([many.rows.length, many.more, asked]).toEqual([200, true, 201]);
  const long = tableOf(rows(1000), ["n", "text"]);
  expect(long.rows.length).toBeLessThan(50);
  expect(long.more).toBe(true);
  const wide = tableOf(
    [Array<string>(2000).fill("x".repeat(900))],
    Array.from({ length: 2000 }, (_, at) => `c${at}`),
  );
  expect([wide.rows.length, wide.columns.length]).toEqual([1, 2000]);
  expect(wide.rows.flat().join("").length).toBeLessThan(110_000);
});

test("tableOf has the columns of an empty result", () => {
  expect(tableOf([], ["a"])).toEqual({ columns: ["a"], rows: [], more: false });
});
