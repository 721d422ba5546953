import type { Migration } from "./migration.ts";

/** What only one of the processes that share a database may do, and which one does it. */
export const namedLeases: Migration = {
  sql: `
    CREATE TABLE named_leases (
      name TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      beat BIGINT NOT NULL
    );`,
};
