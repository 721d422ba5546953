import { expect, test } from "bun:test";
import * as v from "valibot";
import { inputSchema } from "../../src/sandbox/input-schema.ts";
import { tools } from "../../src/tools/index.ts";
import { strictFaults } from "../helpers/strict-subset.ts";

test("inputSchema passes OpenAI's strict subset, for every tool", () => {
  for (const tool of tools)
    expect([tool.name, strictFaults(inputSchema(tool.input))]).toEqual([tool.name, []]);
});

test("strictFaults finds what the subset does not take", () => {
  const closed = { type: "object", additionalProperties: false };
  expect(strictFaults({ type: "object", properties: {}, required: [] })).toHaveLength(1);
  expect(strictFaults({ ...closed, properties: { a: { type: "string" } }, required: [] })).toEqual([
    "#: a is not required",
  ]);
  expect(
    strictFaults({ ...closed, properties: { a: { type: "string", minLength: 1 } }, required: ["a"] }),
  ).toEqual(["#/a: minLength is not taken"]);
  expect(
    strictFaults({
      ...closed,
      properties: { a: { type: "array", items: { type: "object" } } },
      required: ["a"],
    }),
  ).toEqual(["#/a/items: an object must be closed"]);
  expect(strictFaults({ ...closed, properties: { a: {} }, required: ["a"] })).toEqual(["#/a: no type"]);
});

test("inputSchema describes every parameter of every tool", () => {
  for (const tool of tools) {
    for (const property of Object.values((inputSchema(tool.input) as { properties: object }).properties)) {
      expect(property).toMatchObject({ description: expect.stringMatching(/\.$/) });
    }
  }
});

test("inputSchema lets what has a default be null, and words of a list too", () => {
  const schema = inputSchema(
    v.object({
      a: v.pipe(v.string(), v.nonEmpty()),
      b: v.optional(v.number(), 1),
      c: v.optional(v.picklist(["x", "y"])),
    }),
  );
  expect(schema).toEqual({
    type: "object",
    properties: {
      a: { type: "string" },
      b: { type: ["number", "null"] },
      c: { type: ["string", "null"], enum: ["x", "y", null] },
    },
    required: ["a", "b", "c"],
    additionalProperties: false,
  });
});
