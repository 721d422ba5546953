import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { type Libc, openLibc, SystemError } from "./libc.ts";

// The same on x64 and arm64; node:fs does not name them.
const oPath = 0o10000000;
const oCloexec = 0o2000000;
const openat2Number = 437;
const resolveNoMagicLinks = 0x02;
const resolveNoSymlinks = 0x04;
const resolveBeneath = 0x08;

/** `inside`: links that stay beneath the folder are followed where the kernel can promise it; `none`: no link at all. */
export type Links = "inside" | "none";

/**
 * Opens what lies at `path` (relative, without `..`) beneath an opened folder, and never anything outside, whatever is
 * swapped meanwhile. The descriptor is `O_PATH`: nothing was read, no device or pipe was woken; look at it, then open
 * `pathOf(fd)`. The caller closes it. Throws with the `code` of the system's error; `ELOOP` or `EXDEV` is a link that was refused.
 */
export type OpenBeneath = (folder: number, path: string, links: Links) => Promise<number>;

/** A path that names exactly what a descriptor holds, so that Node's calls can act on it or on names in it. */
export const pathOf = (fd: number, name?: string) =>
  `/proc/self/fd/${fd}${name === undefined ? "" : `/${name}`}`;

/** Opens the thing itself without reading it; a link at the end is opened as a link. */
export const openPath = (path: string) => openSync(path, oPath | oCloexec | constants.O_NOFOLLOW);

function openat2(libc: Libc, folder: number, path: string, links: Links): number {
  const resolve = resolveBeneath | resolveNoMagicLinks | (links === "none" ? resolveNoSymlinks : 0);
  const how = new BigUint64Array([BigInt(oPath | oCloexec), 0n, BigInt(resolve)]);
  return libc.systemCall(openat2Number, folder, Buffer.from(`${path}\0`), how, how.byteLength);
}

/** The kernel gives up with EAGAIN when something was renamed while it followed a link with `..` in it. */
function openat2Again(libc: Libc, folder: number, path: string, links: Links): number {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openat2(libc, folder, path, links);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== "EAGAIN" || attempt === 16) throw error;
    }
  }
}

/** Without `openat2`: one name at a time, each opened in the folder before it, and no link followed at all. */
export const walkBeneath: OpenBeneath = async (folder, path) => {
  let current = openSync(pathOf(folder, "."), oPath | oCloexec | constants.O_DIRECTORY);
  for (const name of path.split("/").filter((name) => name !== "" && name !== ".")) {
    const parent = current;
    try {
      if (name === "..") throw new SystemError("EXDEV", path);
      current = openPath(pathOf(parent, name));
    } finally {
      closeSync(parent);
    }
    if (!fstatSync(current).isSymbolicLink()) continue;
    closeSync(current);
    throw new SystemError("ELOOP", path);
  }
  return current;
};

/** The C library when this kernel has `openat2` and lets us call it (an old container profile may not). */
async function probe(): Promise<Libc | undefined> {
  const root = openSync("/", oPath | oCloexec | constants.O_DIRECTORY);
  try {
    const libc = await openLibc();
    closeSync(openat2(libc, root, ".", "none"));
    return libc;
  } catch {
    return undefined;
  } finally {
    closeSync(root);
  }
}

let probed: Promise<Libc | undefined> | undefined;

/** Which of the two ways this host offers; `--check` shows it. */
export const beneathBy = async (): Promise<"openat2" | "walk"> =>
  (await (probed ??= probe())) ? "openat2" : "walk";

export const openBeneath: OpenBeneath = async (folder, path, links) => {
  const libc = await (probed ??= probe());
  return libc ? openat2Again(libc, folder, path, links) : walkBeneath(folder, path, links);
};
