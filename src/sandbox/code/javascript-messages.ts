import * as v from "valibot";

/** What the process of the interpreter is asked for: a line of JSON. */
export const JavaScriptRequest = v.object({ code: v.string() });
export type JavaScriptRequest = v.InferOutput<typeof JavaScriptRequest>;

/** What it says, each a line of JSON: the beginning of the output while the code runs, and then how that ended. */
export const JavaScriptAnswer = v.variant("kind", [
  v.object({
    kind: v.literal("output"),
    text: v.string(),
    stream: v.picklist(["stdout", "stderr"]),
  }),
  v.object({
    kind: v.literal("end"),
    end: v.object({
      exitCode: v.exactOptional(v.number()),
      limit: v.exactOptional(v.literal("memory")),
      output: v.string(),
      cutBytes: v.number(),
      value: v.exactOptional(v.string()),
    }),
  }),
]);
export type JavaScriptAnswer = v.InferOutput<typeof JavaScriptAnswer>;
