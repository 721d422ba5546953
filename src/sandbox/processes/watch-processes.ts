import { readFileSync } from "node:fs";
import { treeOf } from "../../linux/marked.ts";

const intervalMs = 50;
const pageBytes = 4096;

export interface WatchLimits {
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly processes: number;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It ended, or belongs to a namespace that does not let us look.
    return "";
  }
};

/** Pages in memory, those that it shares with others counted whole. */
const residentBytes = (pid: number) => Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * pageBytes;

/** The same with shared pages counted by their share; slow, so only asked when it matters. */
function proportionalBytes(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
  return kilobytes === undefined ? residentBytes(pid) : Number(kilobytes) * 1024;
}

const threadsOf = (pid: number) => Number(/^Threads:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

const sum = (pids: readonly number[], of: (pid: number) => number) =>
  pids.reduce((all, pid) => all + of(pid), 0);

/** Which limit the processes are over, together. */
export function overLimit(
  pids: readonly number[],
  { memoryBytes, processes }: WatchLimits,
): "memory" | "processes" | undefined {
  if (pids.length > processes || sum(pids, threadsOf) > processes) return "processes";
  if (sum(pids, residentBytes) > memoryBytes && sum(pids, proportionalBytes) > memoryBytes) return "memory";
  return undefined;
}

/**
 * Looks again and again at what descends from `roots`, and calls `over` once when it holds too much, or when the kernel
 * has refused that to its group.
 */
export function watchProcesses(
  roots: readonly number[],
  limits: WatchLimits & { readonly group?: { over(): "memory" | "processes" | undefined } },
  over: (limit: "memory" | "processes") => void,
): Disposable {
  const look = () => {
    const limit =
      limits.group?.over() ??
      overLimit([...new Set(roots.flatMap((root) => treeOf(root, limits.processes)))], limits);
    if (limit === undefined) return;
    clearInterval(timer);
    over(limit);
  };
  const timer = setInterval(look, intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
