import { expect, test } from "bun:test";
import * as v from "valibot";
import { inputSchema } from "../../src/sandbox/input-schema.ts";
import { tools } from "../../src/tools/index.ts";

/** The words that OpenAI's strict subset takes in a tool's schema. */
const allowed = new Set(
  "type properties required additionalProperties description enum const items anyOf minimum maximum multipleOf minItems maxItems pattern format".split(
    " ",
  ),
);

function wordsOf(schema: object): string[] {
  return Object.entries(schema).flatMap(([word, value]) => {
    if (word === "properties")
      return [word, ...Object.values(value as object).flatMap((each: object) => wordsOf(each))];
    return word === "items" ? [word, ...wordsOf(value as object)] : [word];
  });
}

test("inputSchema is a closed object that holds only words of the strict subset, for every tool", () => {
  for (const tool of tools) {
    const schema = inputSchema(tool.input);
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    expect(wordsOf(schema).filter((word) => !allowed.has(word))).toEqual([]);
  }
});

test("inputSchema describes every parameter of every tool", () => {
  for (const tool of tools) {
    for (const property of Object.values((inputSchema(tool.input) as { properties: object }).properties)) {
      expect(property).toMatchObject({ description: expect.stringMatching(/\.$/), type: expect.any(String) });
    }
  }
});

test("inputSchema requires what has no default", () => {
  const schema = inputSchema(v.object({ a: v.pipe(v.string(), v.nonEmpty()), b: v.optional(v.number(), 1) }));
  expect(schema).toEqual({
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" } },
    required: ["a"],
    additionalProperties: false,
  });
});
