import { SQLiteError } from "bun:sqlite";
import { AppError, publicError } from "../errors.ts";

/** What can be wrong with the database itself, by the beginning of SQLite's code, and what to do about it. */
const faults: readonly (readonly [code: string, text: string])[] = [
  ["SQLITE_FULL", "The disk of the data folder is full: free some space on it."],
  ["SQLITE_BUSY", "Another program holds the database: end that program, or its transaction."],
  ["SQLITE_LOCKED", "Another program holds the database: end that program, or its transaction."],
  ["SQLITE_READONLY", "The database can only be read: let the server's user write the data folder."],
  ["SQLITE_PERM", "The database may not be opened: let it belong to the server's user."],
  ["SQLITE_CANTOPEN", "The database cannot be opened: see that the data folder is there and can be written."],
  ["SQLITE_CORRUPT", "The database is damaged: stop the server and put a backup back."],
  ["SQLITE_NOTADB", "The file openclaw.db is no database: move it away, or put a backup back."],
  ["SQLITE_IOERR", "The disk of the data folder failed or is full: the system's log says more."],
  ["SQLITE_NOMEM", "No memory was left for the database: give the server more."],
];

const codeOf = (error: unknown) => (error instanceof SQLiteError ? (error.code ?? "") : "");

/** True when another program holds the lock that was asked for. */
export const isBusy = (error: unknown) => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** Says what failed: `unavailable` with what to do when the database cannot be used, else `internal`. */
export function asFault(error: unknown): AppError {
  const code = codeOf(error);
  const fault = faults.find(([prefix]) => code.startsWith(prefix));
  if (fault === undefined) return publicError(error);
  return new AppError("unavailable", `The store failed (${code}). ${fault[1]}`, {
    cause: error,
  });
}

/** True for what `asFault` made of a fault of the disk or the folder, not of the database. */
export const isDiskFault = (error: unknown) =>
  error instanceof AppError && /^SQLITE_(FULL|IOERR|READONLY|PERM|CANTOPEN)/.test(codeOf(error.cause));

/** True for what `asFault` made of a damaged database: nothing but a backup helps. */
export const isDamage = (error: unknown) =>
  error instanceof AppError && /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error.cause));
