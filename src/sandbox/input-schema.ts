import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { ToolInput } from "./tool.ts";

/** Words that strict tool schemas of providers do not take: the check on our side has them anyway. */
const leftOut = ["non_empty", "min_length", "max_length", "trim", "check", "finite"];

/** The JSON schema of a tool's input: closed, and only with words that OpenAI's strict subset knows. */
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
  return schema;
}
