import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { ToolInput } from "./tool.ts";

/** Words that strict tool schemas of providers do not take: the check on our side has them anyway. */
const leftOut = ["non_empty", "min_length", "max_length", "trim", "check", "finite"];

const Property = v.looseObject({ type: v.optional(v.string()), enum: v.optional(v.array(v.unknown())) });

/** The same property, which may also be null: the strict subset knows no other way to leave one out. */
function nullable(property: unknown): object {
  const { type, enum: words, ...rest } = v.parse(Property, property);
  return {
    ...(type !== undefined && { type: [type, "null"] }),
    ...(words !== undefined && { enum: [...words, null] }),
    ...rest,
  };
}

/**
 * The JSON schema of a tool's input as OpenAI's strict subset wants it (platform.openai.com, "Structured outputs",
 * supported schemas): closed, every parameter required, and null for one that is left out.
 */
export function inputSchema(input: ToolInput): object {
  const { $schema: _, ...schema } = toJsonSchema(v.strictObject(input.entries), {
    typeMode: "input",
    ignoreActions: leftOut,
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      if (valibotSchema.type !== "optional") return undefined;
      const { default: _default, ...rest } = jsonSchema;
      return rest;
    },
  });
  const needed = new Set(schema.required);
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [
    name,
    needed.has(name) ? property : nullable(property),
  ]);
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
  };
}
