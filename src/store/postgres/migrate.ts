import { AppError } from "../../errors.ts";
import { applyMigrations, readVersion } from "../migrations.ts";
import type { Migration } from "../migrations/migration.ts";
import type { Session } from "./session.ts";

/** The same number in every process, so that one after the other migrates. */
const lock = 7_236_871;

/** Texts sort and compare by their bytes, as in SQLite, whatever the language of the server. */
const byBytes = (sql: string) => sql.replace(/(?<!\bAS) TEXT\b/g, ' TEXT COLLATE "C"');

/** Brings a database to the newest version, all or nothing, while other processes that start wait for it. */
export async function migratePostgres(session: Session, list: readonly Migration[]): Promise<void> {
  const run = async (sql: string) => void (await session.run(byBytes(sql)));
  const database = { tx: session.tx, run };
  await session.run("BEGIN");
  try {
    await session.run(`SELECT pg_advisory_xact_lock(${lock})`);
    await applyMigrations(database, list, await readVersion(database, list));
    const ended = await session.run("COMMIT");
    if (ended !== "COMMIT") throw new AppError("internal", `The server answered a COMMIT with ${ended}.`);
  } catch (error) {
    // The connection is closed after this, which undoes it as well.
    await session.run("ROLLBACK").catch(() => {});
    throw error;
  }
}
