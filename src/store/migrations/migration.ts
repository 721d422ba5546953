/** One step forward, as SQL for every database and what one of them needs besides. Never changed once it was released. */
export interface Migration {
  readonly sql: string;
  readonly sqlite?: string;
}
