import type { CanJobs } from "./can-jobs.ts";
import type { CanDelegate } from "./can-delegate.ts";
import type { GitSubcommand } from "./git/git-options.ts";
import type { LinePattern } from "./files/pattern.ts";
import type { ResultTable } from "./databases/result-table.ts";

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
  /** What a person would read of a page; `url` is where its relative links begin. */
  page(html: string, url: string): Promise<WebPage>;
}

export interface WebPage {
  /** Empty when it has none. */
  readonly title: string;
  /** Its main text; all of its text where no main text stands out. */
  readonly markdown: string;
  /** Links that do not stand in the text, whole ones of the web alone; at most 50. */
  readonly links: readonly { readonly text: string; readonly url: string }[];
}

/** Where a page of the browser stands after a call. */
export interface PageState {
  readonly url: string;
  readonly title: string;
  /** Status of the answer, where the call loaded a page. */
  readonly status?: number;
  /** What happened beside it since the last call: a dialog, a window, a download, a host that was refused. */
  readonly notes: readonly string[];
}

/** Text of a page; `cut` when it is longer than what may be asked for at once. */
export interface PageText extends PageState {
  readonly text: string;
  readonly cut: boolean;
}

/**
 * A page of a browser for the caller's session, kept between calls. A selector is a reference that `snapshot` gave
 * (`e12`), CSS, or `text=…`. A failure is an `AppError` for the model.
 */
export interface CanBrowse {
  goto(url: string): Promise<PageState>;
  back(): Promise<PageState>;
  click(selector: string): Promise<PageState>;
  fill(selector: string, value: string): Promise<PageState>;
  /** A key such as `Enter` or `Control+a`; in the element, or where the focus is. */
  press(key: string, selector?: string): Promise<PageState>;
  /** An option of a list by its value or its label. */
  select(selector: string, value: string): Promise<PageState>;
  /** Waits until an element, or a text, can be seen. */
  waitFor(what: { readonly selector: string } | { readonly text: string }): Promise<PageState>;
  /** What a person can read, of one element or of all, from a character (0-based) on. */
  text(from: number, length: number, selector?: string): Promise<PageText>;
  /** The elements by role and name with their references, as YAML. */
  snapshot(from: number, length: number): Promise<PageText>;
  /** What is in the window, as a JPEG; with a selector, scrolled so far that the element is in it. */
  screenshot(selector?: string): Promise<PageState & { readonly bytes: Uint8Array }>;
  /** The value of an expression in the page, as JSON. Throws `forbidden` where scripts are not allowed. */
  evaluate(script: string, length: number): Promise<PageText>;
  /** False when nothing was open. */
  close(): Promise<boolean>;
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
  readonly pages: readonly {
    readonly number: number;
    /** Empty for a page that is only a picture; `pictures` are counted for those alone. */
    readonly text: string;
    readonly pictures: number;
    /** The text is only the beginning of what is there. */
    readonly cut?: true;
    readonly unreadable?: true;
  }[];
  /** The pages that were asked for and not reached, as `pages` of the next call; empty when there is none. */
  readonly left: string;
}

/** Text of PDFs, in a worker with limits. `pages` such as `1-3,7`; the first pages when left out. */
export interface CanPdf {
  read(
    bytes: Uint8Array,
    options: { readonly pages?: string | undefined; readonly password?: string | undefined },
  ): Promise<PdfText>;
}

/** Databases by statements, one a call: connections by their names, SQLite files by their paths. A refusal is an `AppError`. */
export interface CanQueryDatabases {
  /** The database itself refuses to change anything. Without `database`: the only connection there is. */
  query(database: string | undefined, sql: string): Promise<ResultTable>;
  /** Where that is granted: a connection that may be written, a file in the write roots. */
  execute(database: string | undefined, sql: string): Promise<ResultTable>;
  tables(database: string | undefined): Promise<ResultTable>;
  schema(database: string | undefined, table: string): Promise<ResultTable>;
}

export interface CanDrawImages {
  generate(request: {
    readonly prompt: string;
    readonly size?: string | undefined;
    readonly quality?: string | undefined;
  }): Promise<{ readonly bytes: Uint8Array; readonly type: "png" | "jpeg" | "webp" }>;
}

export interface CanMail {
  /** Throws `forbidden` for a recipient that no pattern allows. `rejected`: recipients that the server did not take. */
  send(mail: {
    readonly to: readonly string[];
    readonly subject: string;
    readonly body: string;
  }): Promise<{ readonly id: string; readonly rejected: readonly string[] }>;
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
  readonly browse: CanBrowse;
  readonly search: CanSearchWeb;
  readonly pdf: CanPdf;
  readonly databases: CanQueryDatabases;
  readonly images: CanDrawImages;
  readonly mail: CanMail;
  readonly delegate: CanDelegate;
  readonly jobs: CanJobs;
}

export type CapabilityName = keyof Capabilities;
