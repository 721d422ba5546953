import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readlinkSync,
  readSync,
  type Stats,
  statfsSync,
} from "node:fs";
import { AppError } from "../../errors.ts";
import { pathOf } from "../../linux/open-beneath.ts";
import { pathInside } from "../paths.ts";

/** Something that was opened beneath a root and looked at; closes itself at the end of a `using` block. */
export interface Opened extends Disposable {
  readonly fd: number;
  readonly stat: Stats;
}

/** Fills `block` from `position` of an open file, in the background; returns how many bytes there were. */
export const readBlock = (fd: number, block: Uint8Array, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    read(fd, block, 0, block.length, position, (error, bytesRead) =>
      error ? reject(error) : resolve(bytesRead),
    ),
  );

/** Files of that size are read at once: it takes less than asking for it and being told. */
const smallBytes = 65_536;

/** The same as `readBlock`; of a small file without a detour through other threads. */
export const readPart = (
  { fd, size }: { readonly fd: number; readonly size: number },
  block: Uint8Array,
  position: number,
): number | Promise<number> =>
  size <= smallBytes && block.length <= smallBytes
    ? readSync(fd, block, 0, block.length, position)
    : readBlock(fd, block, position);

/** Kinds of file system that show the kernel or its devices, wherever they are mounted (`statfs(2)`). */
const kernelFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x62656570, // configfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0xcafe4a11, // bpf
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x19800202, // mqueue
  0x1cd1, // devpts
  0xf97cff8c, // selinuxfs
  0x42494e4d, // binfmt_misc
  0x6e736673, // nsfs
]);

function refuseKernel(fd: number, name: string, { dev }: Stats, fine: Set<number> | undefined) {
  if (fine?.has(dev)) return;
  if (kernelFileSystems.has(statfsSync(pathOf(fd)).type)) {
    throw new AppError(
      "forbidden",
      `Cannot use ${name}: it belongs to the system's kernel (like /proc and /sys), which is never shown.`,
    );
  }
  fine?.add(dev);
}

function refuseNever(fd: number, name: string, never: readonly string[]) {
  if (never.length === 0) return;
  const real = readlinkSync(pathOf(fd));
  if (never.some((folder) => pathInside(folder, real) !== undefined)) {
    throw new AppError(
      "forbidden",
      `Cannot use ${name}: it belongs to this server's own data, which is never shown.`,
    );
  }
}

/**
 * Takes over an `O_PATH` descriptor: looks at what was opened (not at a path) and closes it when it may not be used.
 * `fine` keeps the devices whose kind of file system was looked at, for no longer than one call: their numbers come again.
 */
export function inspect(fd: number, name: string, never: readonly string[], fine?: Set<number>): Opened {
  try {
    const stat = fstatSync(fd);
    refuseKernel(fd, name, stat, fine);
    refuseNever(fd, name, never);
    return { fd, stat, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return "a link";
  if (stat.isFIFO()) return "a pipe";
  if (stat.isSocket()) return "a socket";
  return "a device";
}

/** Throws unless it is a regular file. */
export function requireFile(stat: Stats, name: string) {
  if (stat.isFile()) return;
  if (stat.isDirectory())
    throw new AppError(
      "bad_request",
      `Cannot use ${name} as a file: it is a folder. Use list_files to see what is in it.`,
    );
  throw new AppError(
    "forbidden",
    `Cannot use ${name}: it is ${kindOf(stat)}, and only regular files may be used.`,
  );
}

/** Throws unless it is a folder. */
export function requireFolder(stat: Stats, name: string) {
  if (stat.isDirectory()) return;
  throw new AppError(
    "bad_request",
    `Cannot use ${name} as a folder: it is ${stat.isFile() ? "a file" : kindOf(stat)}.`,
  );
}

/** Opens for reading exactly what was looked at. */
export function reopen(opened: Opened): { readonly fd: number } & Disposable {
  const fd = openSync(pathOf(opened.fd), constants.O_RDONLY | constants.O_NONBLOCK);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** What a failed system call means to a model; anything that is no such error stays as it is. */
export function explain(error: unknown, act: "read" | "write", name: string): unknown {
  const code =
    error instanceof Error && !(error instanceof AppError) && "code" in error ? error.code : undefined;
  const say = (kind: ConstructorParameters<typeof AppError>[0], why: string) =>
    new AppError(kind, `Cannot ${act} ${name}: ${why}.`, { cause: error });
  switch (code) {
    case "ENOENT":
      return say("not_found", "it does not exist");
    case "ENOTDIR":
      return say("bad_request", "a name on its path is no folder");
    case "EISDIR":
      return say("bad_request", "it is a folder");
    case "ELOOP":
    case "EXDEV":
      return say(
        "forbidden",
        "a link on its path may not be followed, because it does not stay in the granted folder",
      );
    case "EAGAIN":
      return say("unavailable", "it is being changed or locked; try again");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return say("unavailable", "the system does not let this server do that");
    case "ENAMETOOLONG":
      return say("bad_request", "its path is too long");
    case "ENOSPC":
    case "EDQUOT":
      return say("unavailable", "the disk is full");
    case "EMFILE":
    case "ENFILE":
      return say("unavailable", "too many files are open at this moment; try again");
    default:
      return typeof code === "string" && /^E[A-Z0-9]+$/.test(code)
        ? say("unavailable", `the system answered ${code}`)
        : error;
  }
}
