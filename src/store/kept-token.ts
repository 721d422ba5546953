import * as fs from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { closeToOthers } from "./data-folder.ts";

const leastLength = 8;
const mostBytes = 4096;
const forOthers = 0o077;

/** Where the token of a data folder is kept. */
export const tokenFile = (dataDir: string) => join(dataDir, "token");

const refused = (path: string, why: string) =>
  new AppError(
    "bad_request",
    `The token in ${path} is not used: ${why}. Delete the file, and the next start makes a new one; or set OPENCLAW_AUTH_TOKEN.`,
  );

/** Throws unless nobody but this user can have written the file or can read it. */
function checkPrivate(file: number, path: string, owner: number | undefined) {
  const stat = fs.fstatSync(file);
  if (!stat.isFile()) throw refused(path, "it is no regular file");
  if (owner !== undefined && stat.uid !== owner)
    throw refused(path, `it belongs to user ${stat.uid}, and this is user ${owner}`);
  const mode = stat.mode & 0o777;
  if ((mode & forOthers) !== 0) throw refused(path, `others may open it (mode ${mode.toString(8)}, not 600)`);
  if (stat.size > mostBytes) throw refused(path, `it has ${stat.size} bytes`);
}

const hasCode = (error: unknown, code: string) =>
  error instanceof Error && "code" in error && error.code === code;

/** The file, not followed where it is a link, and not waited for where it is a pipe; undefined when there is none. */
function openFile(path: string): number | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw refused(path, hasCode(error, "ELOOP") ? "it is a link" : String(error));
  }
}

/**
 * The operator's token that a first start put into the data folder; undefined when there is none. Throws `bad_request`,
 * saying what to do, for a file that is not private to this user.
 */
export function readToken(dataDir: string, owner = process.geteuid?.()): string | undefined {
  const path = tokenFile(dataDir);
  const file = openFile(path);
  if (file === undefined) return undefined;
  try {
    checkPrivate(file, path, owner);
    const token = fs.readFileSync(file, "utf8").trim();
    if (!/^[\x21-\x7e]+$/.test(token) || token.length < leastLength)
      throw refused(path, `it holds no token (at least ${leastLength} printable characters without spaces)`);
    return token;
  } finally {
    fs.closeSync(file);
  }
}

/** Writes the whole file or none; false when another process was first. */
function writeToken(dataDir: string, token: string): boolean {
  const part = join(dataDir, `token.${process.pid}.part`);
  fs.rmSync(part, { force: true });
  const file = fs.openSync(part, "wx", 0o600);
  try {
    fs.writeSync(file, `${token}\n`);
    fs.fsyncSync(file);
    fs.linkSync(part, tokenFile(dataDir));
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    fs.closeSync(file);
    fs.rmSync(part, { force: true });
  }
}

/** The operator's token of this data folder, made where there is none. Throws `AppError` when it cannot be kept there. */
export function keepToken(dataDir: string): { readonly token: string; readonly made: boolean } {
  try {
    closeToOthers(dataDir);
    const kept = readToken(dataDir);
    if (kept !== undefined) return { token: kept, made: false };
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    if (writeToken(dataDir, token)) return { token, made: true };
    const theirs = readToken(dataDir);
    if (theirs !== undefined) return { token: theirs, made: false };
    throw refused(tokenFile(dataDir), "another process took it away");
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError(
      "unavailable",
      `No token can be kept in the data folder ${dataDir} (${why}). Set OPENCLAW_AUTH_TOKEN, or OPENCLAW_DATA_DIR to a folder for openclaw alone.`,
      { cause: error },
    );
  }
}

/** The token that is asked for at the door: the operator's own, or, where one is needed, a kept one; and what is to be told of that. */
export function doorToken(
  own: string | undefined,
  { needed, dataDir }: { readonly needed: boolean; readonly dataDir: string },
): { readonly authToken: string | undefined; readonly madeToken?: string; readonly tokenFile?: string } {
  if (own !== undefined || !needed) return { authToken: own };
  const { token, made } = keepToken(dataDir);
  return { authToken: token, ...(made ? { madeToken: token } : { tokenFile: tokenFile(dataDir) }) };
}
