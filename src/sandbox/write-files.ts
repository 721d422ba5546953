import { accessSync, constants, lstatSync, mkdirSync, renameSync, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { AppError } from "../errors.ts";
import { openPath, pathOf } from "../linux/open-beneath.ts";
import type { CanWrite } from "./capabilities.ts";
import { sizeText } from "./file-kind.ts";
import { findPlace, type Grant, openBelow, type Place } from "./grant.ts";
import { explain, inspect, type Opened, requireFile, requireFolder } from "./opened.ts";
import { shown } from "./paths.ts";
import { readWhole } from "./read-files.ts";

const largestFile = 10 * 1024 * 1024;
const blockBytes = 1024 * 1024;

/** Lets one act after another run for each key. */
export type InTurn = <T>(key: string, act: () => Promise<T>) => Promise<T>;

export function createInTurn(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (key, act) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(act);
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, signal: AbortSignal) {
  for (let at = 0; at < bytes.length;) {
    signal.throwIfAborted();
    const { bytesWritten } = await handle.write(bytes, at, Math.min(blockBytes, bytes.length - at), at);
    at += bytesWritten;
  }
}

/** Gives the new file the rights of the one that it replaces; its owner too, where we may. */
async function keepRights(handle: FileHandle, old: Stats) {
  await handle.chown(old.uid, old.gid).catch(() => undefined);
  await handle.chmod(old.mode & 0o777);
}

/** What the name holds now, when it may be replaced: a regular file that is not marked read-only. */
function replaceable(target: string, name: string): Stats | undefined {
  const old = lstatSync(target, { throwIfNoEntry: false });
  if (old === undefined) return undefined;
  requireFile(old, name);
  accessSync(target, constants.W_OK);
  return old;
}

/** Writes beside the target and renames: both names are resolved in the opened folder, so nothing can be swapped in. */
async function replace(
  folder: Opened,
  file: string,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  const target = pathOf(folder.fd, file);
  const old = replaceable(target, name);
  const draft = pathOf(folder.fd, `.openclaw-${crypto.randomUUID()}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  signal.throwIfAborted();
  // When first needed: it takes a moment to load.
  const { open, unlink } = await import("node:fs/promises");
  const handle = await open(draft, flags, old === undefined ? 0o666 : 0o600);
  try {
    try {
      await writeAll(handle, bytes, signal);
      if (old !== undefined) await keepRights(handle, old);
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

function encode(content: string, name: string): Uint8Array {
  const bytes = Buffer.from(content);
  if (bytes.length <= largestFile) return bytes;
  const sizes = `${sizeText(bytes.length)}, and ${sizeText(largestFile)} is the most`;
  throw new AppError("payload_too_large", `Cannot write ${name}: the text has ${sizes}. Write less.`);
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    // The mark at the beginning is kept: what is not edited must not change.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new AppError("unsupported_media_type", `Cannot edit ${name}: it is no UTF-8 text.`, {
      cause: error,
    });
  }
}

/** Writing for one call; `inTurn` is shared by all calls. */
export function canWrite(grant: Grant, inTurn: InTurn, signal: AbortSignal): CanWrite {
  /** Opens a folder, and makes it first when asked to and it is missing. */
  async function openFolder({ root, inside, name }: Place, make: boolean): Promise<Opened> {
    try {
      return await openBelow(grant, root, inside, "inside", name);
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || !make || inside === ".") throw error;
    }
    using parent = await openFolder({ root, inside: posix.dirname(inside), name }, true);
    try {
      mkdirSync(pathOf(parent.fd, posix.basename(inside)));
    } catch (error) {
      // Somebody else made it a moment ago; what it is shows when it is opened.
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    return openBelow(grant, root, inside, "inside", name);
  }

  async function withFolder<T>(
    path: string,
    make: boolean,
    act: (folder: Opened, file: string, name: string) => Promise<T>,
  ): Promise<T> {
    const place = findPlace(grant, path);
    const { root, inside, name } = place;
    if (inside === "." || path.endsWith("/")) {
      throw new AppError("bad_request", `Cannot write ${name}: that names a folder; name a file in it.`);
    }
    return inTurn(posix.join(root.path, inside), async () => {
      signal.throwIfAborted();
      try {
        using folder = await openFolder({ ...place, inside: posix.dirname(inside) }, make);
        requireFolder(folder.stat, posix.dirname(name));
        return await act(folder, posix.basename(inside), name);
      } catch (error) {
        throw explain(error, "write", name);
      }
    });
  }

  return {
    async text(path, content) {
      const bytes = encode(content, shown(path));
      const created = await withFolder(path, true, (folder, file, name) =>
        replace(folder, file, name, bytes, signal),
      );
      return { created, bytes: bytes.length };
    },
    edit: (path, change) =>
      withFolder(path, false, async (folder, file, name) => {
        using opened = inspect(openPath(pathOf(folder.fd, file)), name, grant.never);
        const current = decode(await readWhole(opened, name, largestFile, signal), name);
        const bytes = encode(change(current), name);
        await replace(folder, file, name, bytes, signal);
        return { bytes: bytes.length };
      }),
  };
}
