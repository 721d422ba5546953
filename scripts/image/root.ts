import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Arch } from "../bun/install.mjs";
import type { TarEntry } from "./tar.ts";

/** Who the server is in the image: nobody that a host knows. */
export const imageUser = 10001;

/** What of glibc the executable needs. The loader's path is fixed; the others it finds in the first of its own folders. */
const glibc = {
  x64: {
    loader: "lib64/ld-linux-x86-64.so.2",
    folders: ["lib/x86_64-linux-gnu", "lib64", "usr/lib", "lib"],
    cross: { sysroot: "/usr/x86_64-linux-gnu", debian: "libc6-amd64-cross" },
  },
  arm64: {
    loader: "lib/ld-linux-aarch64.so.1",
    folders: ["lib/aarch64-linux-gnu", "lib64", "usr/lib", "lib"],
    cross: { sysroot: "/usr/aarch64-linux-gnu", debian: "libc6-arm64-cross" },
  },
} as const;
const libraries = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

export interface RootOptions {
  readonly arch: Arch;
  readonly executable: string;
  /** Root folder of a Linux for `arch`, whose glibc is taken; default: this one, or where Debian has that of another processor. */
  readonly sysroot?: string;
}

/**
 * All that the image holds: the executable, five files of glibc, and the two folders that are written to. Throws when
 * `sysroot` lacks one.
 */
export async function imageRoot({
  arch,
  executable,
  sysroot = arch === process.arch ? "/" : glibc[arch].cross.sysroot,
}: RootOptions): Promise<readonly TarEntry[]> {
  const { loader, folders, cross } = glibc[arch];
  const choices = [[loader], ...libraries.map((name) => folders.map((place) => `${place}/${name}`))];
  const paths = await Promise.all(choices.map((choice) => firstThere(sysroot, choice, cross.debian)));
  const files = await Promise.all(paths.map((path) => file(path, join(sysroot, path))));
  return [
    folder("data", 0o700, imageUser),
    ...parents(paths).map((path) => folder(path, 0o755)),
    ...files,
    await file("openclaw", executable),
    folder("tmp", 0o1777),
  ];
}

/** Writes the entries below a folder, for an engine to copy; whom they belong to is that one's business. */
export async function layOut(entries: readonly TarEntry[], root: string) {
  await mkdir(root, { recursive: true });
  for (const { path, mode, bytes } of entries) {
    const place = join(root, path);
    await (bytes ? Bun.write(place, bytes) : mkdir(place, { recursive: true }));
    // A mode given on making it is cut by the umask.
    await chmod(place, mode);
  }
}

const folder = (path: string, mode: number, owner = 0): TarEntry => ({ path, mode, uid: owner, gid: owner });

const file = async (path: string, source: string): Promise<TarEntry> => ({
  path,
  mode: 0o755,
  uid: 0,
  gid: 0,
  bytes: await Bun.file(source).bytes(),
});

async function firstThere(sysroot: string, paths: readonly string[], debian: string) {
  for (const path of paths) if (await Bun.file(join(sysroot, path)).exists()) return path;
  throw new Error(
    `${sysroot} holds none of ${paths.join(", ")}: name the root folder of a Linux with glibc by --sysroot (on Debian the package ${debian} brings that of another processor).`,
  );
}

/** The folders above the paths, outer ones first. */
const parents = (paths: readonly string[]) => {
  const all = paths.flatMap((path) => {
    const words = path.split("/").slice(0, -1);
    return words.map((_, index) => words.slice(0, index + 1).join("/"));
  });
  return [...new Set(all)].sort();
};
