import { expect, test } from "bun:test";
import { createPayloadDecoder } from "../../src/llm/sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("createPayloadDecoder gives a payload back the moment its blank line is there", () => {
  const decoder = createPayloadDecoder();
  expect(decoder.push(bytes("data: a\n"))).toEqual([]);
  expect(decoder.push(bytes("\ndata: b\n\nda"))).toEqual(["a", "b"]);
  expect(decoder.push(bytes("ta: c\r"))).toEqual([]);
  expect(decoder.push(bytes("\n\r"))).toEqual(["c"]);
  expect(decoder.push(bytes("\ndata\n\n"))).toEqual([""]);
  expect(decoder.end()).toEqual([]);
});

test("createPayloadDecoder drops one space after the colon, and fields that are not data", () => {
  const decoder = createPayloadDecoder();
  expect(decoder.push(bytes("data:  two\nevent: x\ndatabase: y\n data: z\n\n"))).toEqual([" two"]);
});

test("createPayloadDecoder keeps characters whole that arrive in two parts", () => {
  const decoder = createPayloadDecoder();
  const lobster = bytes("data: 🦞\n\n");
  expect(decoder.push(lobster.subarray(0, 8))).toEqual([]);
  expect(decoder.push(lobster.subarray(8))).toEqual(["🦞"]);
});

test("createPayloadDecoder takes a cut event for none", () => {
  const cut = createPayloadDecoder();
  cut.push(bytes('data: {"a":'));
  expect(cut.end()).toEqual([]);
  const whole = createPayloadDecoder();
  whole.push(bytes('data: {"a":1}'));
  expect(whole.end()).toEqual(['{"a":1}']);
});

test.each(["data: ", "", "{"])(
  "createPayloadDecoder refuses an event without end that begins with %j",
  (start) => {
    const decoder = createPayloadDecoder();
    decoder.push(bytes(start));
    const mebibyte = bytes("x".repeat(1024 * 1024));
    expect(() => {
      for (let at = 0; at < 9; at++) decoder.push(mebibyte);
    }).toThrow("one event of more than 8388608 characters");
  },
);

test("createPayloadDecoder refuses an event of endless data lines", () => {
  const decoder = createPayloadDecoder();
  const lines = bytes(`data: ${"x".repeat(1000)}\n`.repeat(1000));
  expect(() => {
    for (let at = 0; at < 10; at++) decoder.push(lines);
  }).toThrow("one event of more than");
});

test("createPayloadDecoder takes a long line in small parts about as fast as in one", () => {
  const decoder = createPayloadDecoder();
  decoder.push(bytes("data: "));
  const part = bytes("y".repeat(8));
  for (let at = 0; at < 500_000; at++) decoder.push(part);
  expect(decoder.push(bytes("\n\n"))[0]).toHaveLength(4_000_000);
}, 20_000);
