import type { Migration } from "./migration.ts";

const rows = `
    CREATE TABLE audit (
      chain TEXT NOT NULL,
      seq BIGINT NOT NULL,
      at BIGINT NOT NULL,
      kind TEXT NOT NULL,
      principal TEXT NOT NULL,
      session_id TEXT,
      turn_id TEXT,
      call_id TEXT,
      tool TEXT,
      outcome TEXT NOT NULL,
      address TEXT,
      previous TEXT NOT NULL,
      hash TEXT NOT NULL,
      detail TEXT NOT NULL,
      PRIMARY KEY (chain, seq)
    )`;

/** A chain is what one process wrote; its head says up to where it was swept, and is signed. */
export const audit: Migration = {
  sql: `
    CREATE TABLE audit_heads (
      chain TEXT PRIMARY KEY,
      seq BIGINT NOT NULL,
      hash TEXT NOT NULL,
      swept_at BIGINT NOT NULL,
      signature TEXT NOT NULL
    );`,

  // A row comes with nearly every step of a turn: here it dirties one page and not three. The chains of SQLite, whose
  // names sort by their start, follow each other, so that their order is that of the time.
  sqlite: `${rows} WITHOUT ROWID;`,

  postgres: `${rows};
    CREATE INDEX audit_by_time ON audit (at, chain, seq);`,
};
