import type { OnOutput, ProgramEnd } from "../can-run.ts";
import type { WatchLimits } from "./watch-processes.ts";

/** A program to run in the sandbox of processes: what it is, and all that it may touch. */
export interface ProgramSpec {
  /**
   * Argument lists: one, or a pipeline whose outputs feed the next input. The first word of each is an absolute path or
   * is found in the PATH of the sandbox. Never a joined string.
   */
  readonly stages: readonly (readonly string[])[];
  /** Real path of the folder that it starts in; lies in `read` or `write`. */
  readonly cwd: string;
  /** Added to the clean environment (`PATH HOME LANG TMPDIR`). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Real paths of folders that it may read, and that it may change, beside the system's own for reading. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Address of our egress proxy: TCP to its port is all the network there is. Without it no socket can be made. */
  readonly proxy?: { readonly url: string; readonly port: number };
  /** Standard input of the first stage; closed when left out. */
  readonly input?: Uint8Array;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly onOutput?: OnOutput;
  /** Bytes of both streams that are kept, from the beginning and the end. */
  readonly maxOutputBytes?: number;
}

/** What this host offers for processes; probed once, shown by `--check`. */
export interface HostSandbox {
  /** False: process tools are refused, unless the setting says `none`. */
  readonly works: boolean;
  /** For people, such as `Landlock 7, seccomp, namespaces by bubblewrap, cgroup`; or what is missing. */
  readonly text: string;
  /** What weakens it, with its fix. */
  readonly warning?: string;
}

/** Runs programs in the strongest sandbox of this host. Every descendant is gone when `run` settles. */
export interface Programs {
  readonly host: HostSandbox;
  run(spec: ProgramSpec, options: RunOptions): Promise<ProgramEnd>;
  /**
   * The argument list that starts a program in the sandbox, for who must start it himself (the browser); `stages` has
   * one list. What it starts is ended by `endAll` of the returned object, which also gives back its folders.
   */
  launch(spec: ProgramSpec): Promise<{
    readonly argv: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    /** Which limit all that it started is over, together; `pid` is the process that was started with `argv`. */
    over(pid: number, limits: WatchLimits): "memory" | "processes" | undefined;
    endAll(): Promise<void>;
  }>;
  /** Real path of a program in the PATH of the sandbox. */
  find(name: string): Promise<string | undefined>;
  /** Ends all that runs. */
  close(): Promise<void>;
}
