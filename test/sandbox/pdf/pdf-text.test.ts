import { expect, test } from "bun:test";
import { joinPieces } from "../../../src/sandbox/pdf/pdf-text.ts";

const piece = (str: string, y: number, hasEOL = false, height = 10) => ({
  str,
  hasEOL,
  height,
  transform: [1, 0, 0, 1, 0, y],
});

test("joinPieces keeps line breaks, and puts an empty line where a gap is wide", () => {
  expect(
    joinPieces([
      piece("One", 700),
      piece("", 700, true, 0),
      piece("two ", 688, true),
      piece("three", 650, false),
    ]),
  ).toBe("One\ntwo\n\nthree");
});

test("joinPieces writes radicals as the letters that they stand for, and leaves other forms alone", () => {
  expect(joinPieces([piece("⽇⽂ ½ ² Ａ", 1)])).toBe("日文 ½ ² Ａ");
});

test("joinPieces leaves out what has no letter", () => {
  expect(joinPieces([piece("a\0b", 1, true), piece("", 1, true), piece("\0", 1, true)])).toBe("ab");
  expect(joinPieces([])).toBe("");
});
