import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { AppError } from "../errors.ts";

export type FileLock =
  | { readonly held: true; release(): void }
  /** Somebody else has it: the process that wrote its id into the file, when it could be read. */
  | { readonly held: false; readonly holder?: number };

const exclusive = 2;
const withoutWaiting = 4;
const wouldBlock = 11;

/**
 * Locks a file for as long as this process lives, and writes its id into it. The kernel holds the lock, so it goes with
 * the process however that ends, and the id of a dead one refuses nobody. Throws `unavailable` where files cannot be locked.
 */
export async function lockFile(path: string): Promise<FileLock> {
  // Bun opens files so that a started program does not inherit them: no child keeps the lock.
  const file = openSync(path, "a+", 0o600);
  let held = false;
  try {
    const code = await flock(file);
    if (code === wouldBlock) return { held: false, ...writtenIn(file) };
    if (code !== 0)
      throw new AppError(
        "unavailable",
        `The file ${path} cannot be locked (error ${code}): its file system must offer flock.`,
      );
    held = true;
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`);
    return { held, release: () => closeSync(file) };
  } finally {
    if (!held) closeSync(file);
  }
}

/** Returns 0, or the number of the error. */
async function flock(file: number): Promise<number> {
  const { dlopen, read } = await import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", {
    flock: { args: ["i32", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  if (symbols.flock(file, exclusive | withoutWaiting) === 0) return 0;
  const at = symbols.__errno_location();
  return at === null ? -1 : read.i32(at);
}

function writtenIn(file: number): { holder?: number } {
  const [, digits] = /^(\d{1,10})\n$/.exec(readFileSync(file, "utf8")) ?? [];
  return digits === undefined ? {} : { holder: Number(digits) };
}
