import { readFileSync } from "node:fs";
import { childrenOf, markOf, stateOf, treeOf } from "../../linux/marked.ts";

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

/** The programs of one call, as they are found. */
export interface Watched {
  /** The processes that we started ourselves. */
  readonly roots: readonly number[];
  /** Number that all its processes carry. */
  readonly mark: number;
  /** Children of ours that need not be looked at: what was started for this call and for others. */
  readonly owned: ReadonlySet<number>;
}

/** All processes of a call, those too whose parents ended: they came to us, and their mark tells whose they are. */
export function processesOf({ roots, mark, owned }: Watched, most: number): readonly number[] {
  // Those that ended wait for the end of the call, and hold nothing.
  const isStray = (pid: number) => !owned.has(pid) && stateOf(pid)?.ended === false && markOf(pid) === mark;
  const strays = childrenOf(process.pid).filter(isStray);
  return [...new Set([...roots, ...strays].flatMap((top) => treeOf(top, most)))];
}

/**
 * Looks again and again at the processes of a call, and calls `over` once when they hold too much, or when the kernel
 * has refused that to its group.
 */
export function watchProcesses(
  watched: Watched,
  limits: WatchLimits & { readonly group?: { over(): "memory" | "processes" | undefined } },
  over: (limit: "memory" | "processes") => void,
): Disposable {
  const look = () => {
    const limit = limits.group?.over() ?? overLimit(processesOf(watched, limits.processes), limits);
    if (limit === undefined) return;
    clearInterval(timer);
    over(limit);
  };
  const timer = setInterval(look, intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
