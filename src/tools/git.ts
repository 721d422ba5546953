import * as v from "valibot";
import type { ProgramEnd } from "../sandbox/can-run.ts";
import { commandPattern } from "../sandbox/command-pattern.ts";
import { gitEffect, readGitArguments } from "../sandbox/git/git-arguments.ts";
import { type GitSubcommand, gitSubcommands } from "../sandbox/git/git-options.ts";
import { defineTool, type Effect } from "../sandbox/tool.ts";

/** A call that cannot be read does nothing: it is refused before anything runs. */
function effectOf(subcommand: GitSubcommand, args: readonly string[]): Effect {
  try {
    return gitEffect(readGitArguments(subcommand, args));
  } catch {
    return "reads";
  }
}

function describe({ output, exitCode, signal, limit, cutBytes, refusals = [] }: ProgramEnd): string {
  const text = output.trimEnd();
  const notes = [
    ...(text === "" && exitCode === 0 ? ["(Done; git said nothing.)"] : []),
    ...(exitCode !== undefined && exitCode !== 0 ? [`[git ended with exit code ${exitCode}]`] : []),
    ...(signal === undefined
      ? []
      : [`[git was ended by ${signal}${limit === undefined ? "" : ` (limit of ${limit})`}]`]),
    ...(cutBytes > 0
      ? [
          `[${cutBytes} bytes are left out of the middle: ask for less, such as by --max-count, --stat or a path.]`,
        ]
      : []),
    ...(refusals.length > 0 ? [`[Refused by the egress rules: ${refusals.join("; ")}]`] : []),
  ];
  return [...(text === "" ? [] : [text]), ...notes].join("\n");
}

export const git = defineTool({
  name: "git",
  description:
    "Run git on a repository of the workspace. Arguments are a list, without a shell; nothing is interactive, so give `commit` its message.",
  needs: ["git"],
  effect: ({ subcommand, args }) => effectOf(subcommand, args),
  pattern({ subcommand, args, cwd }) {
    const known = commandPattern([["git", subcommand, ...args]])?.slice("git ".length);
    return known !== undefined && cwd !== undefined ? `${known} in ${cwd}` : known;
  },
  input: v.object({
    subcommand: v.pipe(v.picklist(gitSubcommands), v.description("What to do.")),
    args: v.optional(
      v.pipe(
        v.array(v.string()),
        v.description('Its arguments, one each: ["--oneline", "--max-count", "20", "--", "src"].'),
      ),
      [],
    ),
    cwd: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("Folder to run it in; the workspace when left out.")),
    ),
  }),
  async run({ subcommand, args, cwd }, can, call) {
    const end = await can.git.run(subcommand, args, {
      ...(cwd !== undefined && { cwd }),
      onOutput: (text) => call.emit(text),
    });
    return describe(end);
  },
});
