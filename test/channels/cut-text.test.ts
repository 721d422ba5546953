import { expect, test } from "bun:test";
import fc from "fast-check";
import { cutText } from "../../src/channels/cut-text.ts";
import { runs } from "../helpers/long.ts";

const graphemes = (text: string) =>
  [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map(({ segment }) => segment);

const parts = [
  "a",
  " ",
  "\n",
  "\n\n",
  ". ",
  "👨‍👩‍👧‍👦",
  "🇩🇪",
  "é",
  "e\u0301",
  "שלום",
  "مرحبا",
  "한국",
  "👍🏽",
  "\r\n",
  "।",
  "😀",
];
const texts = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: "grapheme" })), {
  maxLength: 80,
});

test("cutText cuts at most so long, joins to the text, and breaks no grapheme", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 40, max: 90 }), (words, most) => {
      const text = words.join("");
      const pieces = cutText(text, most);
      expect(pieces.join("")).toBe(text);
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(most);
      const whole = graphemes(text);
      if (whole.every((grapheme) => grapheme.length <= most * 0.4))
        expect(pieces.flatMap(graphemes)).toEqual(whole);
    }),
    { numRuns: runs(300, 20_000) },
  );
});

test("cutText prefers the end of a paragraph, a line, a sentence, a word, in this order", () => {
  expect(cutText("one two.\n\nthree four\nfive six", 24)).toEqual(["one two.\n\n", "three four\nfive six"]);
  expect(cutText("one two\nthree. four five", 16)).toEqual(["one two\n", "three. four five"]);
  expect(cutText("one two. Three four", 15)).toEqual(["one two. ", "Three four"]);
  expect(cutText("one two three four", 12)).toEqual(["one two ", "three four"]);
});

test("cutText cuts a grapheme that is longer than a piece, and no code point", () => {
  const marks = `a${"\u0301".repeat(50)}`;
  expect(cutText(marks, 20).join("")).toBe(marks);
  const family = "👨‍👩‍👧‍👦".repeat(3);
  const pieces = cutText(family, 4);
  expect(pieces.join("")).toBe(family);
  expect(pieces.every((piece) => piece.isWellFormed() && piece.length <= 4)).toBe(true);
});

test("cutText takes a text of a megabyte without a place to cut in little time", () => {
  const began = performance.now();
  expect(cutText("x".repeat(1_000_000), 4096)).toHaveLength(245);
  expect(performance.now() - began).toBeLessThan(2000);
});
