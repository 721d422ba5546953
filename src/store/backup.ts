import { Database } from "bun:sqlite";
import * as fs from "node:fs";
import { dirname, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { asFault } from "./faults.ts";

/** What a backup holds beside the database, in a table of its own. */
export interface BackupFacts {
  readonly openclaw: string;
  readonly madeAt: string;
  /** The key of the data folder that the audit trail is signed with. */
  readonly auditKey?: string | undefined;
}

interface Backup {
  /** The database, also while a server uses it. */
  readonly database: string;
  /** Where the copy is to be. */
  readonly path: string;
  readonly force: boolean;
  readonly facts: BackupFacts;
  /** Hears what is being done. */
  readonly tell: (doing: string) => void;
}

/** Where facts are kept; the server's own tables never have this name. */
export const factsTable = "openclaw_backup";

const refused = (text: string, cause?: unknown) => new AppError("unavailable", text, { cause });

/**
 * Writes what is committed into one file that only this user may read, checks it, and has it on the disk before it gets
 * its name. Readers never lock: the server goes on. Returns its size in bytes. Throws `unavailable`, and then leaves nothing.
 */
export function writeBackup({ database, path, force, facts, tell }: Backup): number {
  const target = resolve(path);
  checkPlace(target, database);
  if (!force && fs.existsSync(target))
    throw refused(`${target} exists and is not overwritten: name another file, or say --force.`);
  const part = `${target}.${process.pid}.part`;
  try {
    fs.closeSync(fs.openSync(part, "wx", 0o600));
    tell(`copying ${(fs.statSync(database).size / 1e6).toFixed(1)} MB`);
    copyInto(database, part);
    tell("checking the copy");
    addFacts(part, facts);
    syncToDisk(part);
    name(part, target, force);
    syncToDisk(dirname(target));
    return fs.statSync(target).size;
  } catch (error) {
    if (error instanceof AppError) throw error;
    const fault = asFault(error);
    const why = fault.code === "internal" && error instanceof Error ? error.message : fault.message;
    throw refused(`No backup was written to ${target}: ${why}`, error);
  } finally {
    fs.rmSync(part, { force: true });
    fs.rmSync(`${part}-journal`, { force: true });
  }
}

/** In the data folder a name could be one of the server's own: its database, its log, its key. */
function checkPlace(target: string, database: string) {
  const folder = dirname(target);
  if (!fs.existsSync(folder)) throw refused(`There is no folder ${folder}: make it, or name another file.`);
  if (fs.realpathSync(folder) === fs.realpathSync(dirname(database)))
    throw refused(`${folder} is the data folder, which is the server's alone: name a file elsewhere.`);
}

function copyInto(database: string, part: string) {
  using from = new Database(database, { readonly: true });
  from.run("PRAGMA busy_timeout = 5000");
  from.prepare("VACUUM INTO ?").run(part);
}

function addFacts(part: string, facts: BackupFacts) {
  using copy = new Database(part, { readwrite: true });
  const damage = findDamage(copy);
  if (damage !== undefined) throw refused(`The copy is not whole (${damage}): the database is damaged.`);
  copy.run(`DROP TABLE IF EXISTS ${factsTable}`);
  copy.run(`CREATE TABLE ${factsTable} (name TEXT PRIMARY KEY, value TEXT NOT NULL)`);
  const insert = copy.prepare(`INSERT INTO ${factsTable} VALUES (?, ?)`);
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) insert.run(name, value);
}

/** What SQLite finds wrong with a database, at most its first words; undefined when it is whole. */
export function findDamage(database: Database): string | undefined {
  const [found] = database.prepare("PRAGMA quick_check(1)").values();
  const text = String(found?.[0] ?? "no answer");
  return text === "ok" ? undefined : text.slice(0, 200);
}

/** Gives a whole file its name; what somebody else put there meanwhile stays, unless it may be overwritten. */
function name(part: string, target: string, force: boolean) {
  if (force) return fs.renameSync(part, target);
  fs.linkSync(part, target);
}

export function syncToDisk(path: string) {
  const file = fs.openSync(path, "r");
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
