import { expect, test } from "bun:test";
import fc from "fast-check";
import { telegramPieces } from "../../src/channels/telegram-pieces.ts";
import { runs } from "../helpers/long.ts";

test("telegramPieces makes a photo of a line that names an https picture, outside of code", () => {
  expect(
    telegramPieces(
      "Look:\n[IMAGE_URL:https://x.test/a.png]\nNice.\n```\n[IMAGE_URL:https://x.test/b.png]\n```",
    ),
  ).toEqual([
    { kind: "text", text: "Look:" },
    { kind: "photo", text: "https://x.test/a.png" },
    { kind: "text", text: "Nice.\n```\n[IMAGE_URL:https://x.test/b.png]\n```" },
  ]);
  expect(telegramPieces("[IMAGE_URL:http://x.test/a.png]")).toEqual([
    { kind: "text", text: "[IMAGE_URL:http://x.test/a.png]" },
  ]);
});

test("telegramPieces sends nothing that nobody can see", () => {
  expect(telegramPieces("")).toEqual([]);
  expect(telegramPieces(" \n\n ")).toEqual([]);
  expect(telegramPieces("\u200b\u200e \ufeff\n\u2800")).toEqual([]);
  expect(telegramPieces("```\n```")).toEqual([]);
  expect(telegramPieces("Look:\n[IMAGE_URL:https://x.test/a.png]\n~~~js\n \n~~~\n")).toHaveLength(2);
  expect(telegramPieces("```\n~~~\n```")).toHaveLength(1);
});

test("telegramPieces closes a block of code where it cuts it, and opens it again", () => {
  const pieces = telegramPieces(`\`\`\`ts\n${"let a = 1;\n".repeat(1000)}\`\`\`\nDone.`);
  expect(pieces.length).toBeGreaterThan(2);
  for (const { text } of pieces) {
    expect(text.length).toBeLessThanOrEqual(4096);
    expect(text.match(/^```/gm)?.length).toBe(2);
  }
  expect(pieces[1]?.text).toStartWith("```ts\n");
});

test("telegramPieces makes no message of the empty block that is left where it cuts before its end", () => {
  // Up to the end of a piece, however long that is: one of them is cut right before what closes the block.
  for (let length = 3990; length < 4010; length++) {
    const code = `${"x".repeat(99)}\n`.repeat(40).slice(-length).replace(/\n$/, "");
    const pieces = telegramPieces(`\`\`\`ts\n${code}\n\`\`\`${"\n".repeat(200)}`);
    for (const { text } of pieces) expect(text).toContain("xx");
  }
});

test("telegramPieces stays within the limit and loses nothing, emoji and right-to-left text included", () => {
  const words = fc.constantFrom(
    "word ",
    "👨‍👩‍👧‍👦",
    "שלום עולם ",
    "مرحبا. ",
    "\n",
    "\n\n",
    "é".repeat(100),
    "```\n",
    "~~~~\n",
    "\n```js\n",
    "x".repeat(500),
  );
  fc.assert(
    fc.property(fc.array(words, { minLength: 50, maxLength: 250 }), (list) => {
      const answer = list.join("");
      const texts = telegramPieces(answer).map(({ text }) => text);
      for (const text of texts) expect(text.length).toBeLessThanOrEqual(4096);
      const letters = (text: string) => text.replace(/[`~\s]|^(?:[`~]+)js$/gm, "").replaceAll("js", "");
      expect(letters(texts.join("\n"))).toBe(letters(answer));
    }),
    { numRuns: runs(60, 3000) },
  );
});
