import * as v from "valibot";
import { commandPattern } from "../sandbox/command-pattern.ts";
import { parseShellWords } from "../sandbox/code/shell-words.ts";
import { defineTool } from "../sandbox/tool.ts";
import { finishedText } from "./program-text.ts";
import { TimeoutSeconds } from "./timeout-seconds.ts";

export const shell = defineTool({
  name: "shell",
  description:
    "Run a command with `sh` in the workspace; nothing can be typed into it. Answers with what it printed and its exit code. All that it started is ended with it. The server may allow some commands only, and then no syntax of the shell but quotes and |.",
  needs: ["shell"],
  effect: () => "reaches_out",
  pattern({ command }) {
    const words = parseShellWords(command);
    return words.ok ? commandPattern(words.stages) : undefined;
  },
  input: v.object({
    command: v.pipe(v.string(), v.nonEmpty(), v.description("Command line for `sh -c`.")),
    timeout_seconds: v.optional(TimeoutSeconds),
  }),
  async run({ command }, can, call) {
    const end = await can.shell.run(command, call.emit);
    return finishedText(end, call.signal);
  },
});
