import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";

const isKey = /^[0-9a-f]{64}$/;

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined);

/** The key in a data folder that heads of audit chains are signed with; undefined when there is none yet. */
export function readAuditKey(dataDir: string): string | undefined {
  const path = join(dataDir, "audit.key");
  let key: string;
  try {
    key = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new AppError("unavailable", `The key of the audit trail cannot be read (${path}).`, {
      cause: error,
    });
  }
  if (isKey.test(key)) return key;
  throw new AppError("unavailable", `${path} holds no key of an audit trail: put it back from a copy.`);
}

/** The same; it is made, for its owner alone, when there is none. */
export function ensureAuditKey(dataDir: string): string {
  const known = readAuditKey(dataDir);
  if (known !== undefined) return known;
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  const file = openSync(join(dataDir, "audit.key"), "wx", 0o600);
  try {
    writeSync(file, `${key}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return key;
}
