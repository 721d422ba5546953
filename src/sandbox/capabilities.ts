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
}

export interface WalkOptions {
  /** False leaves a folder of this name out. */
  enter?(name: string): boolean;
  /** Told of each folder that could not be opened. */
  closed?(path: string): void;
}

/** Writing inside the write roots, by a rename, so that no reader sees half of a file. Writes to one path wait for each other. */
export interface CanWrite {
  /** Replaces or makes the file (and missing folders). Returns whether it is new, and its size. */
  text(path: string, content: string): Promise<{ created: boolean; bytes: number }>;
  /** Replaces a file by what `change` makes of its text; nothing of ours is written to it in between. */
  edit(path: string, change: (current: string) => string): Promise<{ bytes: number }>;
}

export interface Note {
  readonly key: string;
  readonly content: string;
  readonly updatedAt: number;
}

/** The caller's notes. */
export interface CanNotes {
  get(key: string): Promise<Note | undefined>;
  put(key: string, content: string): Promise<void>;
  remove(key: string): Promise<boolean>;
  list(limit: number): Promise<readonly Note[]>;
  search(query: string, options: { prefix?: string; limit: number }): Promise<readonly Note[]>;
}

export interface CanTime {
  /** Milliseconds since 1970. */
  now(): number;
}

/** Everything that can be lent to a tool. A new thing to lend is one line here and one file beside. */
export interface Capabilities {
  readonly read: CanRead;
  readonly write: CanWrite;
  readonly notes: CanNotes;
  readonly time: CanTime;
}

export type CapabilityName = keyof Capabilities;
