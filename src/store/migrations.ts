import * as v from "valibot";
import { AppError } from "../errors.ts";
import { first, int } from "./columns.ts";
import { firstTables } from "./migrations/001-first-tables.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Tx } from "./tx.ts";

/** In order: the version of a database is how many of them it has. */
export const migrations: readonly Migration[] = [firstTables];

export interface Migrating {
  readonly tx: Tx;
  /** Runs text of one statement or several. */
  run(sql: string): void | Promise<void>;
  /** Keeps what is there before it is brought to `version`. */
  copy?(version: number): Promise<void>;
}

const SchemaVersion = v.object({ version: int });

/**
 * Brings a database to the newest version, all or nothing. Throws `unavailable` for one that is newer than this program.
 * When it throws the connection is to be closed, which undoes what was begun.
 */
export async function migrate(database: Migrating, list: readonly Migration[] = migrations): Promise<void> {
  const { tx, run } = database;
  await run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
  const version = first(SchemaVersion, await tx`SELECT version FROM schema_version`)?.version ?? 0;
  if (version > list.length)
    throw new AppError(
      "unavailable",
      `The database has version ${version}, and this openclaw knows version ${list.length} at most: start the newer one that wrote it, or put its copy openclaw.db.before-${version} in the place of openclaw.db.`,
    );
  if (version === list.length) return;
  if (version > 0) await database.copy?.(list.length);
  await run("BEGIN");
  for (const { sql, sqlite } of list.slice(version)) {
    await run(sql);
    if (tx.dialect.name === "sqlite" && sqlite !== undefined) await run(sqlite);
  }
  await tx`DELETE FROM schema_version`;
  await tx`INSERT INTO schema_version (version) VALUES (${list.length})`;
  await run("COMMIT");
}
