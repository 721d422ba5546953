/**
 * One step forward, as SQL for every database and what one of them needs besides. Never changed once it was released.
 * On PostgreSQL each column of type TEXT (in capitals) is made to sort by its bytes, as it does in SQLite.
 */
export interface Migration {
  readonly sql: string;
  readonly sqlite?: string;
  readonly postgres?: string;
}
