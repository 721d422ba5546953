import type { LinePattern } from "./files/pattern.ts";

/** One entry of a folder. `size` in bytes, files only. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
}

/** Reading inside the read roots. Paths are relative to the workspace or absolute; a refusal is an `AppError` for the model. */
export interface CanRead {
  /** The whole file, at most `maxBytes`; throws for what is no regular file or is too big. */
  bytes(path: string, maxBytes: number): Promise<Uint8Array>;
  /**
   * Calls `line` for each line (1-based) until it returns false; holds one block at a time. `text` is at most 65,536
   * characters, `left` says how many more the line has. Throws when the file is binary, saying of what kind.
   */
  lines(path: string, line: (text: string, number: number, left: number) => boolean): Promise<void>;
  /** The entries of a folder, sorted by name. */
  list(path: string): Promise<readonly FolderEntry[]>;
  /** Every regular file below a folder, as paths that `lines` takes; links are not followed. Ends when the caller stops. */
  walk(path: string, options?: WalkOptions): AsyncIterable<string>;
  /** Of these files, those that are worth reading for a pattern; undefined when that takes to read them all. */
  narrow?(files: readonly string[], pattern: LinePattern): Promise<ReadonlySet<string> | undefined>;
}

export interface WalkOptions {
  /** False leaves a folder of this name out. */
  enter?(name: string): boolean;
  /** Told of each folder that could not be opened. */
  closed?(path: string): void;
}

/** Writing inside the write roots, by a rename, so that no reader sees half of a file. Writes to one path wait for each other. */
export interface CanWrite {
  /** The folder for a file that nobody named a place for: the workspace (`.`), or the first that may be written instead. */
  readonly home: string;
  /** Replaces or makes the file (and missing folders). Returns whether it is new, and its size. */
  text(path: string, content: string): Promise<{ created: boolean; bytes: number }>;
  /** Replaces a file by what `change` makes of its text; nothing of ours is written to it in between. */
  edit(path: string, change: (current: string) => string): Promise<{ bytes: number }>;
  /** Makes a file (and missing folders) that is not there yet; throws `conflict` when something has its name. */
  bytes(path: string, data: Uint8Array): Promise<void>;
  /** Changes several files or none: when one cannot be written, those before it are put back. */
  all(changes: readonly FileChange[]): Promise<void>;
}

export interface FileChange {
  readonly path: string;
  /** The text that it must hold now; undefined: there must be nothing of that name. */
  readonly from: string | undefined;
  /** The text that it gets; undefined deletes it. */
  readonly to: string | undefined;
  /** Of a new file: the path of another of the changes, which this one is the new name of. It gets the rights of that. */
  readonly movedFrom?: string | undefined;
}
