import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isOpenToOthers } from "../store/data-folder.ts";
import type { Finding } from "./check.ts";

const leastFreeBytes = 64 * 1024 * 1024;
const fix = "Set OPENCLAW_DATA_DIR to a folder that this user may write.";

/** Looks at the data folder without touching it: opening the database would take its lock and could write. */
export function inspectDataFolder(folder: string): Finding {
  const existing = nearestExisting(folder);
  if (!statSync(existing).isDirectory()) return { state: "fail", text: `${existing} is no folder.`, fix };
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { state: "fail", text: `${existing} cannot be written by this user.`, fix };
  }
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (free < leastFreeBytes)
    return {
      state: "warn",
      text: `${existing} has only ${Math.round(free / 1e6)} MB left.`,
      fix: "Make room on its disk.",
    };
  if (existing !== folder) return { state: "ok", text: `${folder} will be made at the first start` };
  const found = inspectExisting(folder);
  return { ...found, text: `${found.text}; ${(free / 1e9).toFixed(1)} GB free` };
}

function inspectExisting(folder: string): Finding {
  if (isOpenToOthers(folder))
    return { state: "warn", text: `${folder} is open to other users.`, fix: `chmod 700 ${folder}` };
  const database = join(folder, "openclaw.db");
  if (!existsSync(database)) return { state: "ok", text: `${folder}, still without a database` };
  const { size } = statSync(database);
  if (size > 0 && !isDatabase(database))
    return {
      state: "fail",
      text: `${database} is no SQLite database.`,
      fix: "Put it back from a copy, or move it away to begin anew.",
    };
  return { state: "ok", text: `${folder}, a database of ${(size / 1e6).toFixed(1)} MB` };
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === "/" ? path : nearestExisting(dirname(path));
}

function isDatabase(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(16);
    readSync(fd, head, 0, head.length, 0);
    return head.toString("latin1") === "SQLite format 3\0";
  } finally {
    closeSync(fd);
  }
}
