import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../errors.ts";
import { lockFile } from "../linux/lock.ts";
import type { Tx } from "./tx.ts";

/** A data folder that no other process may use as long as this one lives. */
export interface DataFolder {
  /** Path of the database in it; the file is there, perhaps empty. */
  readonly database: string;
  /** Gives the folder back. */
  release(): void;
}

const forOthers = 0o077;
const ownFolder =
  "Set OPENCLAW_DATA_DIR to a folder for openclaw alone, for example to one inside this: it is made with the right mode.";

/**
 * Makes the data folder when it is missing, closes it to other users, and keeps other processes out until this one
 * ends, however it ends. Throws `unavailable`, saying what to do, when it cannot be had.
 */
export async function claimFolder(folder: string): Promise<DataFolder> {
  let release = () => {};
  try {
    closeToOthers(folder);
    release = await lock(folder);
    const database = join(folder, "openclaw.db");
    makePrivateFile(database);
    return { database, release };
  } catch (error) {
    release();
    if (error instanceof AppError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("unavailable", `The data folder ${folder} cannot be used (${reason}). ${ownFolder}`, {
      cause: error,
    });
  }
}

/** Whether others may enter a folder that is there. Throws `unavailable` when they may and it may not be ours. */
export function isOpenToOthers(folder: string): boolean {
  const mode = fs.statSync(folder).mode & 0o777;
  if ((mode & forOthers) === 0) return false;
  // Somebody may have named /tmp or a home folder: only an empty one, or one of ours, is closed to others.
  const names = fs.readdirSync(folder);
  if (names.length > 0 && !names.includes("openclaw.db"))
    throw new AppError(
      "unavailable",
      `The data folder ${folder} is open to other users (mode ${mode.toString(8)}) and holds files that are not ours. ${ownFolder}`,
    );
  return true;
}

/** Makes the folder when it is missing. Throws `unavailable` for one that others may read and that may not be ours. */
export function closeToOthers(folder: string) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isOpenToOthers(folder)) fs.chmodSync(folder, 0o700);
}

async function lock(folder: string): Promise<() => void> {
  const result = await lockFile(join(folder, "lock"));
  if (result.held) return result.release;
  const holder = result.holder === undefined ? "another process" : `process ${result.holder}`;
  throw new AppError(
    "unavailable",
    `The data folder ${folder} is in use by ${holder}: stop that first, or set OPENCLAW_DATA_DIR to another folder.`,
  );
}

/** SQLite would make the file readable for everybody, and it gives its log the mode that the database has. */
function makePrivateFile(path: string) {
  const file = fs.openSync(path, "a", 0o600);
  try {
    if ((fs.fstatSync(file).mode & forOthers) !== 0) fs.fchmodSync(file, 0o600);
  } finally {
    fs.closeSync(file);
  }
}

/** Copies the database as it is committed. What stands at `path` is replaced once the copy is on the disk. */
export async function copyDatabase(tx: Tx, path: string): Promise<void> {
  const part = `${path}.part`;
  fs.rmSync(part, { force: true });
  makePrivateFile(part);
  await tx`VACUUM INTO ${part}`;
  // SQLite leaves it to us to have the copy on the disk.
  syncToDisk(part);
  fs.renameSync(part, path);
  syncToDisk(dirname(path));
}

function syncToDisk(path: string) {
  const file = fs.openSync(path, "r");
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
