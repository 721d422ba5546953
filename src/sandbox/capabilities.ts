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
  /** `cwd` is a folder of the roots; the workspace when left out. */
  run(
    args: readonly string[],
    options: { readonly cwd?: string; readonly network: boolean; readonly onOutput: OnOutput },
  ): Promise<ProgramEnd>;
}

/** What came back for an address. */
export interface Fetched {
  /** The address that answered, after redirects. */
  readonly url: string;
  readonly status: number;
  /** Without parameters, lower case; empty when it was not said. */
  readonly contentType: string;
  readonly charset?: string;
  readonly bytes: Uint8Array;
  /** True when there was more than `maxBytes`. */
  readonly cut: boolean;
}

/** GET of `http` and `https` under the egress rules, redirects too. */
export interface CanWeb {
  get(
    url: string,
    options: { readonly maxBytes: number; readonly accept?: string | undefined },
  ): Promise<Fetched>;
}

export interface WebHit {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
}

export interface CanSearchWeb {
  search(query: string, limit: number): Promise<readonly WebHit[]>;
}

export interface PdfText {
  readonly pageCount: number;
  readonly title?: string;
  /** `text` is empty for a page that is only a picture. */
  readonly pages: readonly { readonly number: number; readonly text: string; readonly pictures: number }[];
}

/** Text of PDFs, in a worker with limits. `pages` such as `1-3,7`; the first pages when left out. */
export interface CanPdf {
  read(
    bytes: Uint8Array,
    options: { readonly pages?: string | undefined; readonly password?: string | undefined },
  ): Promise<PdfText>;
}

export interface CanDrawImages {
  generate(request: {
    readonly prompt: string;
    readonly size?: string | undefined;
    readonly quality?: string | undefined;
  }): Promise<{ readonly bytes: Uint8Array; readonly type: "png" | "jpeg" | "webp" }>;
}

export interface CanMail {
  /** Throws `forbidden` for a recipient that no pattern allows. */
  send(mail: {
    readonly to: readonly string[];
    readonly subject: string;
    readonly body: string;
  }): Promise<{ readonly id: string }>;
}

/** The caller's own sessions. */
export interface CanSessions {
  list(
    limit: number,
  ): Promise<readonly { readonly id: string; readonly title: string; readonly updatedAt: number }[]>;
  /** The newest messages, oldest first. */
  history(
    sessionId: string,
    limit: number,
  ): Promise<readonly { readonly role: string; readonly text: string; readonly at: number }[]>;
  /** Starts a turn there; answers with its id and does not wait for it. */
  send(sessionId: string, message: string): Promise<{ readonly turnId: string }>;
}

/** Everything that can be lent to a tool. A new thing to lend is one line here and one file beside. */
export interface Capabilities {
  readonly read: CanRead;
  readonly write: CanWrite;
  readonly notes: CanNotes;
  /** Notes of the project (`OPENCLAW_PROJECT`), shared by everyone who works on it. */
  readonly project: CanNotes;
  readonly sessions: CanSessions;
  readonly time: CanTime;
  readonly shell: CanShell;
  readonly code: CanCode;
  readonly git: CanGit;
  readonly web: CanWeb;
  readonly search: CanSearchWeb;
  readonly pdf: CanPdf;
  readonly images: CanDrawImages;
  readonly mail: CanMail;
}

export type CapabilityName = keyof Capabilities;
