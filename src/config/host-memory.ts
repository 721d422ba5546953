import { readFileSync } from "node:fs";
import type { Settings } from "./settings.ts";

const defaultShare = 0.8;

/** Bytes of resident memory beyond which no turn begins; Infinity when there is no mark. */
export function memoryMarkOf({ memoryMarkBytes }: Settings["middleware"]): number {
  if (memoryMarkBytes === 0) return Number.POSITIVE_INFINITY;
  return memoryMarkBytes ?? Math.floor(memoryLimit() * defaultShare);
}

/** The most that this process may use, in bytes: the limit of its control group, else what the host has. */
export function memoryLimit(
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): number {
  const read = (path: string) => {
    try {
      return readFile(path);
    } catch {
      return "";
    }
  };
  const hostKilobytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1] ?? 0);
  const group = /^0::(\/\S*)$/m.exec(read("/proc/self/cgroup"))?.[1] ?? "/";
  // Inside a container its own group is the root of what it sees.
  const limits = [`/sys/fs/cgroup${group}/memory.max`, "/sys/fs/cgroup/memory.max"]
    .map((path) => Number(read(path).trim() || "max"))
    .filter((bytes) => bytes > 0);
  const known = [...limits, ...(hostKilobytes > 0 ? [hostKilobytes * 1024] : [])];
  return known.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...known);
}
