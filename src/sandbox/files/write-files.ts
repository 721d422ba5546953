import { lstatSync, mkdirSync, opendirSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { openPath, pathOf } from "../../linux/open-beneath.ts";
import type { CanWrite, FileChange } from "../can-files.ts";
import { changeAll } from "./change-all.ts";
import { sizeText } from "./file-kind.ts";
import { findPlace, type Grant, openBelow, type Place } from "./grant.ts";
import type { InTurn } from "./in-turn.ts";
import { explain, inspect, type Opened, requireFolder } from "./opened.ts";
import { giveToOwnerOf } from "./owner-of-new.ts";
import { shown } from "../paths.ts";
import { readWhole } from "./read-files.ts";
import { replace } from "./replace-file.ts";
import { findRoot } from "./roots.ts";

const largestFile = 10 * 1024 * 1024;
const largestBytes = 32 * 1024 * 1024;
/** Of one change of several files; all of them are open at once. */
const mostFiles = 100;

const noRoom = (what: string, bytes: number, most: number, name: string) =>
  new AppError(
    "payload_too_large",
    `Cannot write ${name}: ${what} has ${sizeText(bytes)}, and ${sizeText(most)} is the most. Write less.`,
  );

function encode(content: string, name: string): Uint8Array {
  const bytes = Buffer.from(content);
  if (bytes.length <= largestFile) return bytes;
  throw noRoom("the text", bytes.length, largestFile, name);
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

function isEmpty(fd: number): boolean {
  using folder = opendirSync(pathOf(fd));
  return folder.readSync() === null;
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
      return openBelow(grant, root, inside, "inside", name);
    }
    using made = await openBelow(grant, parent, posix.basename(inside), "none", name);
    // A moment ago a program of the workspace may have put something else in its place, which is not given away.
    if (made.stat.isDirectory() && made.stat.uid === process.getuid?.() && isEmpty(made.fd))
      giveToOwnerOf(parent.stat, made.fd);
    // Once more, because whose it is was looked at as well.
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

  /** By the name that `withFolder` waits for: all in the same order, so that two calls never wait for each other. */
  function inOrder(changes: readonly FileChange[]): readonly FileChange[] {
    const keyOf = ({ path }: FileChange) => {
      const { root, inside } = findPlace(grant, path);
      return posix.join(root.path, inside);
    };
    const byKey = new Map(changes.map((change) => [keyOf(change), change]));
    if (byKey.size < changes.length)
      throw new AppError("bad_request", "Cannot change one file twice at once: give each file one change.");
    if (changes.length > mostFiles)
      throw new AppError("payload_too_large", `Cannot change more than ${mostFiles} files at once.`);
    return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
  }

  const { roots, workspace } = grant;
  const inWorkspace = workspace !== undefined && findRoot(roots, workspace) !== undefined;
  return {
    home: inWorkspace ? "." : (roots[0]?.path ?? "."),
    async all(changes) {
      for (const { path, to = "" } of changes) encode(to, shown(path));
      await changeAll({ changes: inOrder(changes), withFolder, never: grant.never, signal });
    },
    bytes: (path, data) =>
      withFolder(path, true, async (folder, file, name) => {
        if (data.length > largestBytes) throw noRoom("it", data.length, largestBytes, name);
        if (lstatSync(pathOf(folder.fd, file), { throwIfNoEntry: false }) !== undefined)
          throw new AppError("conflict", `Cannot make ${name}: there is something of that name.`);
        await replace(folder, file, name, data, signal);
      }),
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
