export type SqlValue = string | number | bigint | null | Uint8Array;
export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement with its values bound. The text must be one that SQLite and PostgreSQL 15 both take. */
export interface Tx {
  (parts: TemplateStringsArray, ...values: SqlValue[]): Promise<readonly Row[]>;
  readonly dialect: Dialect;
}

export interface NoteQuery {
  readonly owner: string;
  /** Whatever a person or a model wrote. */
  readonly text: string;
  /** Only notes whose key begins so. */
  readonly prefix: string;
  readonly limit: number;
}

/** What cannot be one SQL text for all databases. */
export interface Dialect {
  readonly name: "sqlite" | "postgres";
  /** Rows of `notes` that match, best first. Takes any text and never throws because of it. */
  searchNotes(tx: Tx, query: NoteQuery): Promise<readonly Row[]>;
  /** Makes a note that was just written findable. */
  indexNote(tx: Tx, note: { owner: string; key: string; content: string }): Promise<void>;
  /** Makes a commit that changes no row and yet has to reach the disk. */
  prove(tx: Tx): Promise<unknown>;
  /** Tells the processes that share the database, once `tx` is committed. */
  signal(tx: Tx, topic: string, payload: string): Promise<void>;
}
