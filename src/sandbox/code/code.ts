import { AppError } from "../../errors.ts";
import type { CanCode, OnOutput, ProgramEnd } from "../can-run.ts";
import { createJavaScript, type JavaScript } from "./javascript.ts";
import { shown } from "../paths.ts";
import type { Lend } from "../sandbox.ts";
import type { Caller } from "../tool.ts";
import type { RunInWorkspace, WorkspaceProgramParts } from "../processes/workspace-programs.ts";

const longestCode = 1024 * 1024;

/**
 * How a program takes code as its input. bash gets all of it before it begins, so that no command reads the code as its
 * own input; node and python do that by themselves.
 */
const interpreters: Readonly<Record<string, readonly string[]>> = {
  python: ["python3", "-u", "-"],
  node: ["node", "-"],
  bash: ["bash", "-c", 'eval "$(cat)" </dev/null'],
};

export interface CodeParts extends Pick<WorkspaceProgramParts, "programs"> {
  readonly runInWorkspace: RunInWorkspace;
}

export interface CodeLender {
  readonly lend: Pick<Lend, "code">;
  close(): Promise<void>;
}

function checkCode(code: string) {
  const bytes = Buffer.byteLength(code);
  if (bytes > longestCode) {
    const why = `it has ${bytes} bytes, and at most ${longestCode} are taken`;
    throw new AppError("bad_request", `Cannot run this code: ${why}.`);
  }
}

/**
 * Code of the allowed languages: JavaScript in the embedded interpreter, the others as programs of the host, which
 * `parts` are for.
 */
export function lendCode(
  { allowCode: languages }: { readonly allowCode: readonly string[] },
  parts: CodeParts | undefined,
): CodeLender {
  let javaScript: JavaScript | undefined;
  const list = languages.join(", ");

  async function runProgram(
    language: string,
    code: string,
    call: { caller: Caller; signal: AbortSignal; onOutput: OnOutput },
  ): Promise<ProgramEnd> {
    const [program = "", ...args] = interpreters[language] ?? [];
    if (parts === undefined || (await parts.programs.find(program)) === undefined) {
      throw new AppError("unavailable", `Cannot run ${language}: this host has no ${program}.`);
    }
    return parts.runInWorkspace(
      { stages: [[program, ...args]], input: new TextEncoder().encode(code) },
      call,
    );
  }

  const code = (caller: Caller, signal: AbortSignal): CanCode => ({
    languages,
    async run(language, text, onOutput) {
      if (!languages.includes(language)) {
        throw new AppError(
          "forbidden",
          `Cannot run ${shown(language)}: the languages granted here are: ${list}.`,
        );
      }
      checkCode(text);
      if (language !== "javascript") return runProgram(language, text, { caller, signal, onOutput });
      javaScript ??= createJavaScript();
      return javaScript.run(text, onOutput, signal, caller.principal);
    },
  });

  return {
    lend: languages.length === 0 ? {} : { code },
    close: async () => javaScript?.close(),
  };
}
