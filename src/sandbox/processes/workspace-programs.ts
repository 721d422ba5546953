import { AppError } from "../../errors.ts";
import type { OnOutput, ProgramEnd } from "../can-run.ts";
import type { Egress } from "../net/egress.ts";
import { createKeptText, mostOutput } from "./kept-text.ts";
import { pathInside } from "../paths.ts";
import type { Programs, ProgramSpec } from "./programs.ts";
import type { Roots } from "../files/roots.ts";
import type { Caller } from "../tool.ts";

export interface WorkspaceProgramParts {
  readonly programs: Pick<Programs, "run" | "find">;
  readonly egress: Pick<Egress, "pass">;
  readonly roots: Roots;
}

/** Who a program runs for, and until when. */
export interface ProgramCall {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly onOutput: OnOutput;
}

/**
 * Runs programs in the workspace, with all the roots that are granted. Ended by the signal, it resolves with what they
 * had printed until then.
 */
export type RunInWorkspace = (
  what: Pick<ProgramSpec, "stages" | "input">,
  call: ProgramCall,
) => Promise<ProgramEnd>;

/** Why programs have no place to run in: a sentence with its fix; undefined when there is one. */
export function placeFault(roots: Roots): string | undefined {
  const { workspace } = roots;
  if (workspace === undefined) return "there is no workspace: set OPENCLAW_WORKSPACE to a folder";
  const isGranted = [...roots.read, ...roots.write].some(
    ({ path }) => pathInside(path, workspace) !== undefined,
  );
  return isGranted
    ? undefined
    : "the workspace is not granted: set OPENCLAW_ALLOWED_READ_ROOTS=. and, to let it change files, OPENCLAW_ALLOWED_WRITE_ROOTS=.";
}

export function createRunInWorkspace(
  settings: { readonly allowProcessNetwork: boolean },
  { programs, egress, roots }: WorkspaceProgramParts,
): RunInWorkspace {
  const read = roots.read.map(({ path }) => path);
  const write = roots.write.map(({ path }) => path);
  const fault = placeFault(roots);

  return async (what, { caller, signal, onOutput }) => {
    const cwd = roots.workspace;
    if (cwd === undefined || fault !== undefined)
      throw new AppError("forbidden", `Cannot run a program here: ${fault}.`);
    const kept = createKeptText(mostOutput);
    const hear: OnOutput = (text, stream) => {
      kept.add(text);
      onOutput(text, stream);
    };
    const run = async (proxy?: ProgramSpec["proxy"]): Promise<ProgramEnd> => {
      try {
        const spec = { ...what, cwd, read, write, ...(proxy && { proxy }) };
        return await programs.run(spec, { signal, onOutput: hear, maxOutputBytes: mostOutput });
      } catch (error) {
        if (!signal.aborted) throw error;
        // How far it came is worth more than that it was stopped, which the caller knows.
        return { signal: "SIGKILL", ...kept.end() };
      }
    };
    if (!settings.allowProcessNetwork) return run();
    const pass = await egress.pass(caller, signal);
    try {
      const end = await run({ url: pass.url, port: pass.port });
      return pass.refusals.length === 0 ? end : { ...end, refusals: [...pass.refusals] };
    } finally {
      pass.release();
    }
  };
}
