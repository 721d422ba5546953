import { AppError } from "../../errors.ts";
import type { CanShell } from "../can-run.ts";
import type { Lend } from "../sandbox.ts";
import { createShellRules } from "./shell-rules.ts";
import type { RunInWorkspace } from "../processes/workspace-programs.ts";

const longestCommand = 100_000;

export interface ShellSettings {
  readonly allowShell: boolean;
  readonly shellCommands: readonly string[];
}

/** Throws for what no shell can be handed. */
function checkText(command: string) {
  const bytes = Buffer.byteLength(command);
  if (bytes > longestCommand) {
    const why = `it has ${bytes} bytes, and at most ${longestCommand} are taken; put it in a file`;
    throw new AppError("bad_request", `Cannot run this command: ${why}.`);
  }
  if (command.includes("\0"))
    throw new AppError("bad_request", "Cannot run this command: it holds a NUL character.");
  if (command.trim() === "") throw new AppError("bad_request", "Cannot run this command: it is empty.");
}

/** Commands for the `shell` tool: by `sh -c`, or, where a list of allowed ones is set, as argument lists without `sh`. */
export function lendShell(settings: ShellSettings, runInWorkspace: RunInWorkspace): Pick<Lend, "shell"> {
  if (!settings.allowShell) return {};
  const check = settings.shellCommands.length === 0 ? undefined : createShellRules(settings.shellCommands);
  return {
    shell: (caller, signal): CanShell => ({
      async run(command, onOutput) {
        checkText(command);
        const stages = check?.(command) ?? [["sh", "-c", command]];
        return runInWorkspace({ stages }, { caller, signal, onOutput });
      },
    }),
  };
}
