import type { OnOutput, ProgramEnd } from "../can-run.ts";

/** Runs the host's git with these words in the sandbox of processes. */
export type RunGit = (
  words: readonly string[],
  more: {
    readonly cwd: string;
    readonly write: boolean;
    readonly environment: Readonly<Record<string, string>>;
    readonly proxy?: { readonly url: string; readonly port: number };
    readonly onOutput?: OnOutput;
    readonly bytes: number;
    /** A program that reads what git says, and whose output it is then. */
    readonly through?: readonly string[];
  },
) => Promise<ProgramEnd>;
