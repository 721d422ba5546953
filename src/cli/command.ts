/** 0 good, 1 failed while running, 2 bad settings or arguments, 3 a check failed. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What a command is handed: the arguments after its name, the folder that relative paths mean, and its neighbours. */
export interface Invocation {
  readonly args: readonly string[];
  readonly startFolder: string;
  readonly commands: readonly Command[];
}

export interface Command {
  /** The words that begin it. */
  readonly words: readonly string[];
  readonly usage: string;
  readonly doc: string;
  /** Loaded when it is asked for, so that no command pays for another. */
  load(): Promise<(invocation: Invocation) => Promise<ExitCode>>;
}
