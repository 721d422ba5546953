import * as v from "valibot";
import { defineTool } from "../sandbox/tool.ts";
import { finishedText } from "./program-text.ts";
import { TimeoutSeconds } from "./timeout-seconds.ts";

export const codeExec = defineTool({
  name: "code_exec",
  description:
    "Run code and answer with what it printed, and in javascript with the value of its last expression. javascript has the language and console alone (no files, network, timers or modules) and forgets all after each call; the other languages run as programs in the workspace. A language that is not granted is refused, with the ones that are.",
  needs: ["code"],
  effect: ({ language }) => (language === "javascript" ? "reads" : "reaches_out"),
  input: v.object({
    language: v.pipe(v.string(), v.nonEmpty(), v.description("javascript, python, bash or node.")),
    code: v.pipe(v.string(), v.nonEmpty(), v.description("The whole code.")),
    timeout_seconds: v.optional(TimeoutSeconds),
  }),
  async run({ language, code }, can, call) {
    const end = await can.code.run(language, code, call.emit);
    return finishedText(end, call.signal);
  },
});
