import type { GitSubcommand } from "./git/git-options.ts";

/** Hears what a program says while it runs. */
export type OnOutput = (text: string, stream: "stdout" | "stderr") => void;

/** How a program, and all that it started, ended. */
export interface ProgramEnd {
  /** Absent when it was ended by a signal. */
  readonly exitCode?: number;
  readonly signal?: string;
  /** The limit that ended it. */
  readonly limit?: "memory" | "processes";
  /** Both streams as they came, bounded; binary output is described instead of shown. */
  readonly output: string;
  /** Bytes of output that are left out of its middle. */
  readonly cutBytes: number;
  /** What code came to, as text, where its language has such a thing. */
  readonly value?: string;
  /** Connections that the egress proxy refused it, as `host: why`. */
  readonly refusals?: readonly string[];
}

/** Commands of a shell, in the workspace, in the sandbox of processes. */
export interface CanShell {
  run(command: string, onOutput: OnOutput): Promise<ProgramEnd>;
}

/** Code of a few languages: JavaScript in an interpreter of our own, others as processes where the host has them. */
export interface CanCode {
  readonly languages: readonly string[];
  run(language: string, code: string, onOutput: OnOutput): Promise<ProgramEnd>;
}

/** The `git` of the host by argument lists, in the sandbox of processes. */
export interface CanGit {
  /** Whether it may fetch from, and push to, other hosts. */
  readonly fetch: boolean;
  readonly push: boolean;
  /** Reads the arguments first, and throws for what is not granted. `cwd` is a folder of the roots; else the workspace. */
  run(
    subcommand: GitSubcommand,
    args: readonly string[],
    options: { readonly cwd?: string; readonly onOutput: OnOutput },
  ): Promise<ProgramEnd>;
}
