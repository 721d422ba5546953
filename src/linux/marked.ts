import { closeSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { markResource } from "./forbidden-calls.ts";
import { kernel } from "./system-calls.ts";

// Every process of a call carries the call's number as its limit of real-time processor time: the kernel hands it on to
// all descendants, a new session, a double fork and an exec keep it, and the filter of system calls forbids to change it.

const setSubreaper = 36;
const withoutHanging = 1;
const { SIGKILL } = constants.signals;

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It ended meanwhile.
    return undefined;
  }
};

const entries = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** From now on processes whose parent ended become children of this one, however they were started. */
export const becomeSubreaper = () => kernel().call("prctl", setSubreaper, 1, 0, 0, 0);

/**
 * Runs `start`, which starts processes without waiting, so that they carry the mark from their first moment. The launcher
 * makes it theirs for good.
 */
export function withMark<T>(mark: number, start: () => T): T {
  const { call } = kernel();
  // Two limits, of which only the first is changed, and put back: nothing here is scheduled in real time.
  const own = new BigUint64Array(2);
  call("prlimit64", 0, markResource, 0, own);
  call("prlimit64", 0, markResource, new BigUint64Array([BigInt(mark), own[1] ?? 0n]), 0);
  try {
    return start();
  } finally {
    call("prlimit64", 0, markResource, own, 0);
  }
}

/** The mark of a process; undefined when it is gone. Unmarked ones have `Infinity`. */
export function markOf(pid: number): number | undefined {
  const text = readText(`/proc/${pid}/limits`);
  const [, soft] = /^Max realtime timeout\s+(\S+)/m.exec(text ?? "") ?? [];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

export interface ProcessState {
  readonly parent: number;
  readonly group: number;
  /** It waits to be reaped. */
  readonly ended: boolean;
}

/** How a process stands; undefined when it is gone. */
export function stateOf(pid: number): ProcessState | undefined {
  // The name in parentheses may hold anything, parentheses too.
  const text = readText(`/proc/${pid}/stat`);
  const [, state, parent, group] = /^\d+ \(.*\) (\S) (\d+) (\d+) /s.exec(text ?? "") ?? [];
  if (parent === undefined || group === undefined) return undefined;
  return { parent: Number(parent), group: Number(group), ended: state === "Z" || state === "X" };
}

const scanForChildren = (parent: number): readonly number[] =>
  entries("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => stateOf(pid)?.parent === parent);

let listsChildren: boolean | undefined;

/** Children of a process, of all its threads. May miss one while another ends: ask until nothing changes. */
export function childrenOf(pid: number): readonly number[] {
  // Some kernels do not list them.
  listsChildren ??= existsSync(`/proc/self/task/${process.pid}/children`);
  if (!listsChildren) return scanForChildren(pid);
  return entries(`/proc/${pid}/task`).flatMap((thread) =>
    (readText(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number),
  );
}

/** A process and what descends from it, itself first; no more than about `most`. */
export function treeOf(pid: number, most = Number.POSITIVE_INFINITY): readonly number[] {
  const found = new Set([pid]);
  for (const each of found) {
    if (found.size > most) break;
    for (const child of childrenOf(each)) found.add(child);
  }
  return [...found];
}

/**
 * Kills a process if `isMeant` says so of it: what was looked at is what is killed, even when its number has been given to
 * another in between. False when it was not meant, or is gone.
 */
export function killExactly(pid: number, isMeant: (pid: number) => boolean): boolean {
  const handle = kernel().try("pidfd_open", pid, 0);
  if (handle < 0) return false;
  try {
    return isMeant(pid) && kernel().try("pidfd_send_signal", handle, SIGKILL, 0, 0) === 0;
  } finally {
    closeSync(handle);
  }
}

/** Kills all processes of a group at one moment: none of them can fork itself away. Never our own group. */
export function killGroup(group: number) {
  if (group <= 1 || group === stateOf(process.pid)?.group) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nobody is in it.
  }
}

/** This process, its group as a negative number, and its threads as they are now: all that a signal for it can name. */
export function ownThreads(): readonly number[] {
  const group = stateOf(process.pid)?.group ?? 0;
  const threads = entries("/proc/self/task").map(Number);
  // 0 is a group outside of this namespace, which nobody here can name.
  return [...new Set([process.pid, ...(group > 0 ? [-group] : []), ...threads])];
}

/** Takes an ended child of this process off the kernel's list; false when it is none. */
export const reap = (pid: number): boolean => kernel().try("wait4", pid, 0, withoutHanging, 0) === pid;
