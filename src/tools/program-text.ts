import { cancelled } from "../errors.ts";
import type { ProgramEnd } from "../sandbox/can-run.ts";

function endText({ exitCode, signal, limit, value }: ProgramEnd): string {
  if (limit === "memory") return "[Ended: it took more memory than is allowed]";
  if (limit === "processes") return "[Ended: it started more processes than are allowed]";
  if (value !== undefined) return `=> ${value}`;
  return exitCode === undefined ? `[Ended by ${signal ?? "a signal"}]` : `[Exit code ${exitCode}]`;
}

/** What a program said and how it ended, for a model. */
export function programText(end: ProgramEnd): string {
  const output = end.output.trimEnd();
  const notes = [endText(end)];
  if (end.cutBytes > 0)
    notes.push(
      `[Of the output, ${end.cutBytes} bytes in the middle are left out: ask for less, or filter it]`,
    );
  for (const refusal of end.refusals ?? []) notes.push(`[Refused by the egress rules: ${refusal}]`);
  return [...(output === "" ? [] : [output]), ...notes].join("\n");
}

/** The text of a program that ended by itself; throws with what it said so far where the end of its call ended it. */
export function finishedText(end: ProgramEnd, signal: AbortSignal): string {
  if (!signal.aborted) return programText(end);
  throw cancelled(
    end.output.trim() === "" ? "It had printed nothing." : `It had printed:\n${end.output.trimEnd()}`,
  );
}
