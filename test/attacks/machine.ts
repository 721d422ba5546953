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

/** Resident bytes of a process. */
export const memoryOf = (pid: number) => Number(field(pid, "VmRSS") ?? 0) * 1024;

/** All that runs as a user. */
export const processesOf = (uid: number) => everyProcess().filter((pid) => field(pid, "Uid") === String(uid));

/** All that descends from a process. */
export function childrenOf(pid: number): readonly number[] {
  const parents = new Map(everyProcess().map((each) => [each, Number(field(each, "PPid"))]));
  const descends = (each: number): boolean => {
    const parent = parents.get(each);
    return parent === pid || (parent !== undefined && parent > 0 && descends(parent));
  };
  return [...parents.keys()].filter(descends);
}

/** Path of the program that a process runs, as it sees it itself; empty when it has ended. */
export function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return "";
  }
}
