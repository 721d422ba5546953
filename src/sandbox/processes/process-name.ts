import { readFileSync, readlinkSync } from "node:fs";

/** When a process started, in ticks since the machine did; undefined when it is gone. */
function startOf(pid: string): string | undefined {
  try {
    // The name in parentheses may hold anything; the start is the 20th word behind it.
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}

/** The namespace that numbers of processes are good in; undefined where it cannot be told. */
function namespace(): string | undefined {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  } catch {
    return undefined;
  }
}

/** Part of a name that says which process made something: its namespace, number and start. */
export const processName = (): string => `${namespace() ?? 0}-${process.pid}-${startOf("self") ?? 0}`;

/**
 * Whether something that is called `prefix`, then `processName()`, was left by a process that is gone. A process of
 * another namespace is never taken to be gone, because that cannot be told from here.
 */
export function isLeftOver(name: string, prefix: string): boolean {
  if (!name.startsWith(prefix)) return false;
  const [, space, pid = "", start] = /^(\d+)-(\d+)-(\d+)(?:-|$)/.exec(name.slice(prefix.length)) ?? [];
  return space !== undefined && start !== "0" && space === namespace() && startOf(pid) !== start;
}
