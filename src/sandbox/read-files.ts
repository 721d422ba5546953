import { type Dirent, lstatSync, read } from "node:fs";
import { posix } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AppError } from "../errors.ts";
import { pathOf } from "../linux/open-beneath.ts";
import type { CanRead, FolderEntry, WalkOptions } from "./capabilities.ts";
import { sizeText } from "./file-kind.ts";
import { findPlace, type Grant, openBelow, type Place } from "./grant.ts";
import { explain, type Opened, readBlock, reopen, requireFile, requireFolder } from "./opened.ts";
import { readLines } from "./read-lines.ts";
import type { NextSlice } from "./slices.ts";

const largestBlock = 1024 * 1024;

/** The whole of an opened file; throws when it has more than `maxBytes`. */
export async function readWhole(
  opened: Opened,
  name: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  requireFile(opened.stat, name);
  using file = reopen(opened);
  const blocks: Buffer[] = [];
  for (let size = 0; ;) {
    signal.throwIfAborted();
    // One byte more than there should be, so that the last read shows the end (or that the file has grown).
    const expected = Math.min(opened.stat.size, maxBytes) - size + 1;
    const block = Buffer.allocUnsafe(Math.min(Math.max(expected, 4096), largestBlock));
    const bytesRead = await readBlock(file.fd, block, size);
    if (bytesRead === 0) return Buffer.concat(blocks);
    size += bytesRead;
    if (size > maxBytes) {
      const most = sizeText(maxBytes);
      throw new AppError("payload_too_large", `Cannot read ${name}: it has more than ${most}.`);
    }
    blocks.push(block.subarray(0, bytesRead));
  }
}

function entryKind(entry: Dirent): FolderEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

/** By code units: the order must not depend on the host's language. */
const byName = (a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1);

const readFolder = async (folder: Opened): Promise<Dirent[]> =>
  (await (await import("node:fs/promises")).readdir(pathOf(folder.fd, "."), { withFileTypes: true })).sort(
    byName,
  );

async function listFolder(folder: Opened, signal: AbortSignal): Promise<FolderEntry[]> {
  const found: FolderEntry[] = [];
  for (const entry of await readFolder(folder)) {
    // Asking for sizes is quick, but a folder may be huge: others get their turn in between.
    if (found.length % 256 === 255) await setImmediate();
    signal.throwIfAborted();
    const kind = entryKind(entry);
    const isFile = kind === "file";
    const stat = isFile ? lstatSync(pathOf(folder.fd, entry.name), { throwIfNoEntry: false }) : undefined;
    found.push({ name: entry.name, kind, size: stat?.size ?? 0 });
  }
  return found;
}

/**
 * Reading for one call: a path is opened beneath a read root, and what was opened is looked at before it is read.
 * `nextSlice` is shared by all calls.
 */
export function canRead(shared: Grant, nextSlice: NextSlice, signal: AbortSignal): CanRead {
  const grant: Grant = { ...shared, fine: new Set() };
  const open = ({ root, inside, name }: Place) => openBelow(grant, root, inside, "inside", name);

  async function withOpened<T>(path: string, act: (opened: Opened, name: string) => Promise<T>): Promise<T> {
    const place = findPlace(grant, path);
    try {
      using opened = await open(place);
      return await act(opened, place.name);
    } catch (error) {
      throw explain(error, "read", place.name);
    }
  }

  /** Folders below are opened beneath `top` without any link, so that a swapped one leads nowhere. */
  async function* walkBelow(top: Opened, path: string, options: WalkOptions): AsyncIterable<string> {
    const waiting = ["."];
    for (let inside = waiting.pop(); inside !== undefined; inside = waiting.pop()) {
      signal.throwIfAborted();
      let entries: Dirent[] = [];
      try {
        using folder = await openBelow(grant, top, inside, "none", path);
        entries = await readFolder(folder);
      } catch {
        options.closed?.(posix.join(path, inside));
      }
      const below = entries.filter((entry) => entry.isDirectory() && options.enter?.(entry.name) !== false);
      for (const { name } of below.reverse()) waiting.push(posix.join(inside, name));
      for (const entry of entries) if (entry.isFile()) yield posix.join(path, inside, entry.name);
    }
  }

  return {
    bytes: (path, maxBytes) => withOpened(path, (opened, name) => readWhole(opened, name, maxBytes, signal)),
    async lines(path, line) {
      await nextSlice();
      await withOpened(path, (opened, name) => readLines(opened, name, signal, line));
    },
    list: (path) =>
      withOpened(path, (opened, name) => {
        requireFolder(opened.stat, name);
        return listFolder(opened, signal);
      }),
    async *walk(path, options = {}) {
      const place = findPlace(grant, path);
      try {
        using top = await open(place);
        if (top.stat.isFile()) return yield path;
        requireFolder(top.stat, place.name);
        yield* walkBelow(top, path, options);
      } catch (error) {
        throw explain(error, "read", place.name);
      }
    },
  };
}
