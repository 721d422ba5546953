import { posix } from "node:path";
import { AppError } from "../errors.ts";

const longestPath = 4096;
const longestName = 255;
const shownLength = 200;

/** A path as it may stand in a sentence or a list: cut, and in quotes when it holds characters that do not print. */
export function shown(path: string): string {
  const cut = path.length > shownLength ? `${path.slice(0, shownLength)}…` : path;
  return /[\p{C}\p{Zl}\p{Zp}"]/u.test(cut) ? JSON.stringify(cut).replace(/\p{C}/gu, "\uFFFD") : cut;
}

function faultOf(path: string): string | undefined {
  if (path === "") return "it is empty; name a file or a folder";
  if (path.includes("\0")) return "it holds a NUL character; leave that out";
  if (Buffer.byteLength(path) > longestPath)
    return `it is longer than ${longestPath} bytes; use a shorter one`;
  const tooLong = path.split("/").some((name) => Buffer.byteLength(name) > longestName);
  return tooLong ? `a name in it is longer than ${longestName} bytes; use a shorter one` : undefined;
}

/** A model's path as an absolute one without `.` and `..`, by its letters alone; relative ones lie in the workspace. */
export function resolvePath(path: string, workspace: string | undefined): string {
  const fault = faultOf(path);
  if (fault !== undefined) throw new AppError("bad_request", `Cannot use the path ${shown(path)}: ${fault}.`);
  if (workspace === undefined && !posix.isAbsolute(path)) {
    const why = "there is no workspace here, so it must be absolute";
    throw new AppError("bad_request", `Cannot use the path ${shown(path)}: ${why}.`);
  }
  return posix.resolve(workspace ?? "/", path);
}

/** Where `path` lies in `folder` (`.` for the folder itself), folder by folder: `/workshop` is not in `/work`. Both absolute. */
export function pathInside(folder: string, path: string): string | undefined {
  if (path === folder) return ".";
  const prefix = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}
