import type { ResultTable } from "./result-table.ts";

export type DatabaseKind = "postgres" | "mysql";

/** One statement for a database server. */
export interface ServerRequest {
  readonly kind: DatabaseKind;
  readonly url: string;
  readonly sql: string;
  readonly parameters: readonly string[];
  /** False: the database itself must refuse to change anything. */
  readonly write: boolean;
  readonly statementMs: number;
}

export type ServerAnswer =
  | { readonly ok: true; readonly table: ResultTable }
  /** `said` is the server's own sentence with its SQLSTATE; without one it was not reached, and only a code is told. */
  | { readonly ok: false; readonly state?: string; readonly said: string };
