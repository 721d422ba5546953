import { accessSync, constants, lstatSync, renameSync, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { pathOf } from "../../linux/open-beneath.ts";
import { type Opened, requireFile } from "./opened.ts";
import { giveToOwnerOf } from "./owner-of-new.ts";

const blockBytes = 1024 * 1024;

async function writeAll(handle: FileHandle, bytes: Uint8Array, signal: AbortSignal) {
  for (let at = 0; at < bytes.length;) {
    signal.throwIfAborted();
    const { bytesWritten } = await handle.write(bytes, at, Math.min(blockBytes, bytes.length - at), at);
    at += bytesWritten;
  }
}

/** Gives the new file the rights of the one whose place it takes; its owner too, where we may. */
async function keepRights(handle: FileHandle, old: Stats) {
  await handle.chown(old.uid, old.gid).catch(() => undefined);
  await handle.chmod(old.mode & 0o777);
}

/** What the name holds now, when it may be replaced: a regular file that is not marked read-only. */
export function replaceable(target: string, name: string): Stats | undefined {
  const old = lstatSync(target, { throwIfNoEntry: false });
  if (old === undefined) return undefined;
  requireFile(old, name);
  accessSync(target, constants.W_OK);
  return old;
}

/** Name of a file that is not finished, or no longer wanted, beside the one it belongs to. */
export const draftName = () => `.openclaw-${crypto.randomUUID()}.tmp`;

/**
 * Writes beside the target and renames: both names are resolved in the opened folder, so nothing can be swapped in. The
 * rights are those of the file that is replaced, else of `like`, else the usual ones. Returns whether it is new.
 */
export async function replace(
  folder: Opened,
  file: string,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal,
  like?: Stats,
): Promise<boolean> {
  const target = pathOf(folder.fd, file);
  const old = replaceable(target, name);
  const rights = old ?? like;
  const draft = pathOf(folder.fd, draftName());
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  signal.throwIfAborted();
  // When first needed: it takes a moment to load.
  const { open, unlink } = await import("node:fs/promises");
  const handle = await open(draft, flags, rights === undefined ? 0o666 : 0o600);
  try {
    try {
      await writeAll(handle, bytes, signal);
      if (rights === undefined) giveToOwnerOf(folder.stat, handle.fd);
      else await keepRights(handle, rights);
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    renameSync(draft, target);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  return old === undefined;
}
