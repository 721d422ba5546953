import { expect, test } from "bun:test";
import * as v from "valibot";
import { callPattern, patternText } from "../../src/sandbox/call-pattern.ts";
import { type AnyTool, defineTool } from "../../src/sandbox/tool.ts";

const tool = (pattern?: AnyTool["pattern"]): AnyTool => ({
  ...defineTool({
    name: "probe",
    description: "Probes.",
    needs: [],
    effect: () => "changes",
    input: v.object({}),
    run: async () => "",
  }),
  ...(pattern && { pattern }),
});

test("callPattern is exactly the arguments, whatever the order of their names", () => {
  expect(callPattern(tool(), { b: [{ d: 1, c: 2 }], a: "x" })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
  expect(callPattern(tool(), { a: "x", b: [{ c: 2, d: 1 }] })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
  expect(callPattern(tool(), { a: [1, 2] })).not.toBe(callPattern(tool(), { a: [2, 1] }));
});

test("callPattern is what the tool says, which can never be taken for arguments", () => {
  expect(
    callPattern(
      tool(() => "git status"),
      {},
    ),
  ).toBe('"git status"');
  expect(
    callPattern(
      tool(() => '{"a":1}'),
      {},
    ),
  ).not.toBe(callPattern(tool(), { a: 1 }));
});

test("callPattern is exact when the tool says nothing, and nothing when it fails, says so or is too long", () => {
  const fails = () => {
    throw new Error("It fails.");
  };
  for (const say of [() => false as const, fails]) expect(callPattern(tool(say), { a: 1 })).toBeUndefined();
  for (const say of [() => undefined, () => ""]) expect(callPattern(tool(say), { a: 1 })).toBe('{"a":1}');
  expect(callPattern(tool(), { a: "x".repeat(4000) })).toBeUndefined();
  expect(
    callPattern(
      tool(() => "x".repeat(1_000_000)),
      {},
    ),
  ).toBeUndefined();
});

test("patternText tells what a tool said from exact arguments", () => {
  expect(patternText('"git status"')).toBe("git status");
  expect(patternText('{"a":1}')).toBeUndefined();
});
