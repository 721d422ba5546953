import * as v from "valibot";
import { AppError } from "../errors.ts";
import { first, int } from "./columns.ts";
import { firstTables } from "./migrations/001-first-tables.ts";
import { audit } from "./migrations/002-audit.ts";
import { approvalRules } from "./migrations/003-approval-rules.ts";
import { channels } from "./migrations/004-channels.ts";
import { optOuts } from "./migrations/005-opt-outs.ts";
import { jobs } from "./migrations/006-jobs.ts";
import { delegates } from "./migrations/007-delegates.ts";
import { namedLeases } from "./migrations/008-named-leases.ts";
import { unkeptApprovals } from "./migrations/009-unkept-approvals.ts";
import { heldParts } from "./migrations/010-held-parts.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Tx } from "./tx.ts";

/** In order: the version of a database is how many of them it has. */
export const migrations: readonly Migration[] = [
  firstTables,
  audit,
  approvalRules,
  channels,
  optOuts,
  jobs,
  delegates,
  namedLeases,
  unkeptApprovals,
  heldParts,
];

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
  const version = await readVersion(database, list);
  if (version === list.length) return;
  if (version > 0) await database.copy?.(list.length);
  await database.run("BEGIN");
  await applyMigrations(database, list, version);
  await database.run("COMMIT");
}

/** How many migrations a database has; throws `unavailable` when it has more than there are. */
export async function readVersion({ tx, run }: Migrating, list: readonly Migration[]): Promise<number> {
  await run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
  const version = first(SchemaVersion, await tx`SELECT version FROM schema_version`)?.version ?? 0;
  if (version <= list.length) return version;
  const backup =
    tx.dialect.name === "sqlite"
      ? `put its copy openclaw.db.before-${version} in the place of openclaw.db`
      : "put back a backup from before";
  throw new AppError(
    "unavailable",
    `The database has version ${version}, and this openclaw knows version ${list.length} at most: start the newer one that wrote it, or ${backup}.`,
  );
}

/** Runs what a database of this version lacks, in the transaction that is open. */
export async function applyMigrations({ tx, run }: Migrating, list: readonly Migration[], version: number) {
  if (version === list.length) return;
  for (const { sql, ...more } of list.slice(version)) {
    await run(sql);
    const own = more[tx.dialect.name];
    if (own !== undefined) await run(own);
  }
  await tx`DELETE FROM schema_version`;
  await tx`INSERT INTO schema_version (version) VALUES (${list.length})`;
}
