import { type Dirent, lstatSync, read } from "node:fs";
import { posix } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AppError } from "../../errors.ts";
import { pathOf } from "../../linux/open-beneath.ts";
import type { CanRead, FolderEntry, WalkOptions } from "../can-files.ts";
import { sizeText } from "./file-kind.ts";
import type { NarrowFiles } from "./narrow-files.ts";
import { findPlace, type Grant, openBelow, type Place } from "./grant.ts";
import { shown } from "../paths.ts";
import type { LinePattern } from "./pattern.ts";
import { explain, type Opened, readBlock, reopen, requireFile, requireFolder } from "./opened.ts";
import { readLines } from "./read-lines.ts";
import type { Root } from "./roots.ts";
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

export interface ReadParts {
  readonly nextSlice: NextSlice;
  /** Tells quickly which of many files are worth reading, where the host has what it takes. */
  readonly narrowFiles?: NarrowFiles | undefined;
}

/** An opened folder that is closed when the last of those who use it has disposed of it. */
interface SharedFolder extends Opened {
  /** One user more; false when it is closed. */
  take(): boolean;
}

function shareFolder(opened: Opened): SharedFolder {
  let users = 1;
  return {
    fd: opened.fd,
    stat: opened.stat,
    take() {
      if (users > 0) users += 1;
      return users > 0;
    },
    [Symbol.dispose]() {
      users -= 1;
      if (users === 0) opened[Symbol.dispose]();
    },
  };
}

/**
 * Reading for one call: a path is opened beneath a read root, and what was opened is looked at before it is read.
 * `nextSlice` is shared by all calls, and so is `narrowFiles`.
 */
export function canRead(shared: Grant, { nextSlice, narrowFiles }: ReadParts, signal: AbortSignal): CanRead {
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

  /** The folder that a walk is in, so that its files need not be opened from their root on. */
  let here: { readonly folder: SharedFolder; readonly prefix: string } | undefined;
  /** What is a file of such a folder lies where the folder does: that was looked at. */
  const grantHere: Grant = { ...grant, never: [] };

  /** Opens a file of the folder that a walk is in, without any link; undefined when it is none. */
  async function openHere(path: string): Promise<Opened | undefined> {
    if (here === undefined || !path.startsWith(here.prefix)) return undefined;
    const { folder, prefix } = here;
    const name = path.slice(prefix.length);
    if (name === "" || name === "." || name === ".." || name.includes("/") || !folder.take())
      return undefined;
    try {
      return await openBelow(grantHere, folder, name, "none", path);
    } finally {
      folder[Symbol.dispose]();
    }
  }

  /** Folders below are opened beneath `top` without any link, so that a swapped one leads nowhere. */
  async function* walkBelow(top: Opened, path: string, options: WalkOptions): AsyncIterable<string> {
    const waiting = ["."];
    for (let inside = waiting.pop(); inside !== undefined; inside = waiting.pop()) {
      await nextSlice();
      signal.throwIfAborted();
      const at = posix.join(path, inside);
      let entries: Dirent[] = [];
      using stack = new DisposableStack();
      try {
        const folder = stack.use(shareFolder(await openBelow(grant, top, inside, "none", path)));
        entries = await readFolder(folder);
        here = { folder, prefix: at === "." ? "" : at.endsWith("/") ? at : `${at}/` };
      } catch {
        options.closed?.(at);
      }
      const below = entries.filter((entry) => entry.isDirectory() && options.enter?.(entry.name) !== false);
      for (const { name } of below.reverse()) waiting.push(posix.join(inside, name));
      for (const entry of entries) if (entry.isFile()) yield posix.join(at, entry.name);
    }
  }

  /** All of `files` lie in one root, as those of one walk do; else nothing is told. */
  async function narrow(files: readonly string[], pattern: LinePattern, ask: NarrowFiles) {
    const paths = new Map<string, string>();
    const roots = new Set<Root>();
    for (const path of files) {
      if (paths.size % 256 === 0) await nextSlice();
      const { root, inside } = findPlace(grant, path);
      roots.add(root);
      paths.set(inside, path);
    }
    const [root, other] = roots;
    if (root === undefined || other !== undefined) return undefined;
    const found = await ask({ folder: root.path, files: [...paths.keys()], pattern }, signal);
    return found && new Set([...paths].filter(([inside]) => found.has(inside)).map(([, path]) => path));
  }

  return {
    bytes: (path, maxBytes) => withOpened(path, (opened, name) => readWhole(opened, name, maxBytes, signal)),
    async lines(path, line) {
      await nextSlice();
      const name = shown(path);
      try {
        using file = await openHere(path);
        if (file !== undefined) return await readLines(file, name, signal, line);
      } catch (error) {
        throw explain(error, "read", name);
      }
      await withOpened(path, (opened) => readLines(opened, name, signal, line));
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
    ...(narrowFiles && { narrow: (files, pattern) => narrow(files, pattern, narrowFiles) }),
  };
}
