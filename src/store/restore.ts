import { Database } from "bun:sqlite";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { factsTable, findDamage, syncToDisk } from "./backup.ts";
import { claimFolder } from "./data-folder.ts";
import { migrations } from "./migrations.ts";

export interface Restored {
  /** Of the database that was put back; an older one is migrated at the next start. */
  readonly version: number;
  readonly newest: number;
  /** Where the database is that was there before; absent when there was none. */
  readonly keptAt?: string;
  /** When the backup was made, where it says so. */
  readonly madeAt?: string;
  /** True when the key of the audit trail came back with it. */
  readonly hasAuditKey: boolean;
}

interface Restore {
  readonly path: string;
  readonly dataDir: string;
  readonly tell: (doing: string) => void;
  readonly now?: () => number;
}

const refused = (text: string, cause?: unknown) => new AppError("unavailable", text, { cause });

/**
 * Puts a backup in the place of the database, while no server runs: the data folder is taken for it. What was there is
 * kept aside. Throws `unavailable`, and then has changed nothing, for a file that is damaged, newer or none of ours.
 */
export async function restoreBackup({ path, dataDir, tell, now = Date.now }: Restore): Promise<Restored> {
  const source = resolve(path);
  checkSource(source);
  const folder = await claimFolder(dataDir);
  const part = `${folder.database}.restore.part`;
  try {
    removeDatabase(part);
    tell(`copying ${(fs.statSync(source).size / 1e6).toFixed(1)} MB`);
    fs.copyFileSync(source, part, fs.constants.COPYFILE_EXCL);
    fs.chmodSync(part, 0o600);
    tell("checking the copy");
    const { facts, version } = inspect(part, source);
    syncToDisk(part);
    const stamp = new Date(now()).toISOString().replace(/[-:]|\.\d+/g, "");
    const keptAt = keepAside(folder.database, `${folder.database}.before-restore-${stamp}`);
    const auditKey = facts.get("auditKey");
    if (auditKey !== undefined) putKey(dataDir, auditKey, stamp);
    fs.renameSync(part, folder.database);
    syncToDisk(dirname(folder.database));
    const madeAt = facts.get("madeAt");
    return {
      version,
      newest: migrations.length,
      hasAuditKey: auditKey !== undefined,
      ...(keptAt !== undefined && { keptAt }),
      ...(madeAt !== undefined && { madeAt }),
    };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refused(`${source} was not put back: ${error instanceof Error ? error.message : error}`, error);
  } finally {
    removeDatabase(part);
    folder.release();
  }
}

function removeDatabase(path: string) {
  for (const end of ["", "-wal", "-shm", "-journal"]) fs.rmSync(path + end, { force: true });
}

/** Before the data folder is touched: is there a database that is whole by itself? */
function checkSource(source: string) {
  const stat = fs.statSync(source, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) throw refused(`${source} is no file.`);
  const log = fs.statSync(`${source}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0)
    throw refused(
      `${source} is in use, or was left by a crash: a part of it is in ${source}-wal. Copy it with openclaw backup.`,
    );
}

/** Looks the copy over and takes out what only a backup holds. */
function inspect(part: string, source: string) {
  try {
    using database = new Database(part, { readwrite: true });
    const damage = findDamage(database);
    if (damage !== undefined) throw refused(`${source} is damaged (${damage}).`);
    const version = readVersion(database, source);
    const facts = takeFacts(database);
    return { facts, version };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refused(`${source} is no database of openclaw, or is damaged.`, error);
  }
}

function readVersion(database: Database, source: string): number {
  const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").values();
  const [row] = hasTable.length === 0 ? [] : database.prepare("SELECT version FROM schema_version").values();
  const version = Number(row?.[0]);
  if (!Number.isSafeInteger(version) || version < 1) throw refused(`${source} is no database of openclaw.`);
  if (version > migrations.length)
    throw refused(
      `${source} has version ${version}, and this openclaw knows version ${migrations.length} at most: use the newer one that wrote it.`,
    );
  return version;
}

function takeFacts(database: Database): ReadonlyMap<string, string> {
  const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").values(factsTable);
  if (found.length === 0) return new Map();
  const rows = database.prepare(`SELECT name, value FROM ${factsTable}`).values();
  // What was a secret is not left in a free page.
  database.run("PRAGMA secure_delete = ON");
  database.run(`DROP TABLE ${factsTable}`);
  return new Map(rows.map(([name, value]) => [String(name), String(value)]));
}

/** Gives the database a second name, with all that its log holds. */
function keepAside(database: string, path: string): string | undefined {
  if (fs.statSync(database).size === 0) return undefined;
  try {
    using old = new Database(database, { readwrite: true });
    old.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // It is damaged, which may be why it is replaced: its log is kept beside it as it is.
  }
  fs.linkSync(database, path);
  const log = `${database}-wal`;
  if (fs.existsSync(log)) fs.renameSync(log, `${path}-wal`);
  fs.rmSync(`${database}-shm`, { force: true });
  return path;
}

function putKey(dataDir: string, key: string, stamp: string) {
  const path = join(dataDir, "audit.key");
  const part = `${path}.restore.part`;
  if (fs.existsSync(path)) {
    if (fs.readFileSync(path, "utf8").trim() === key) return;
    fs.linkSync(path, `${path}.before-restore-${stamp}`);
  }
  fs.rmSync(part, { force: true });
  fs.writeFileSync(part, `${key}\n`, { mode: 0o600, flag: "wx", flush: true });
  fs.renameSync(part, path);
}
