import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It ended while we looked.
    return "";
  }
};

const everyProcess = () =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
const field = (pid: number, name: string) =>
  new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(read(`/proc/${pid}/status`))?.[1];

/** The arguments of a process, as one text; empty when it has ended. */
export const argumentsOf = (pid: number) => read(`/proc/${pid}/cmdline`);

/** Resident bytes of a process. */
export const memoryOf = (pid: number) => Number(field(pid, "VmRSS") ?? 0) * 1024;

/** All that descends from a process. */
function childrenOf(pid: number): readonly number[] {
  const parents = new Map(everyProcess().map((each) => [each, Number(field(each, "PPid"))]));
  const descends = (each: number): boolean => {
    const parent = parents.get(each);
    return parent === pid || (parent !== undefined && parent > 0 && descends(parent));
  };
  return [...parents.keys()].filter(descends);
}

const linkOf = (pid: number, name: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return "";
  }
};

/** Start of a process, in ticks since the machine's; `Infinity` when it is gone. */
const startOf = (pid: number) => {
  // The name in parentheses may hold anything; the start is the 20th word behind it.
  const start = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[19];
  return start === undefined ? Number.POSITIVE_INFINITY : Number(start);
};

/**
 * All that a server has started and that still runs, also what got away from its parents: what descends from it, what
 * shows one of its folders (in its arguments, environment, working or root folder), and what has come to this process,
 * who is the next to inherit, since the server began. Another run beside this one has none of these.
 */
export function startedBy(server: number, folders: readonly string[]): readonly number[] {
  const began = startOf(server);
  const below = new Set(childrenOf(server));
  // The folders that it makes for its calls bear its number and its start.
  const marks = [...folders, `-${server}-${began}-`];
  const shows = (pid: number) => {
    const texts = [argumentsOf(pid), read(`/proc/${pid}/environ`), linkOf(pid, "cwd"), linkOf(pid, "root")];
    return marks.some((mark) => texts.some((text) => text.includes(mark)));
  };
  const cameToUs = (pid: number) => field(pid, "PPid") === String(process.pid) && startOf(pid) > began;
  return everyProcess().filter(
    (pid) => pid !== server && pid !== process.pid && (below.has(pid) || cameToUs(pid) || shows(pid)),
  );
}

/** Path of the program that a process runs, as it sees it itself; empty when it has ended. */
export function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return "";
  }
}
