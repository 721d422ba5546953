import type { ResultTable } from "./databases/result-table.ts";
import type { CanJobs } from "./can-jobs.ts";
import type { CanDelegate } from "./can-delegate.ts";
import type { CanRead, CanWrite } from "./can-files.ts";
import type { CanCode, CanGit, CanShell } from "./can-run.ts";
import type { CanBrowse, CanSearchWeb, CanWeb } from "./can-web.ts";

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
