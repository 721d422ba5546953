import { childrenOf, killExactly, killGroup, markOf, reap, stateOf, treeOf } from "../../linux/marked.ts";

const mostMs = 10_000;
/** Rounds without a pause: a program that forks and ends again and again is caught by being faster. */
const roundsAtOnce = 32;
/** How many processes one round goes for; those that are left are the next one's. */
const mostAtOnce = 1000;

/** The programs of one call. */
export interface Call {
  /** Number that all its processes carry. */
  readonly mark: number;
  /** The processes that we started ourselves; their ends are somebody else's to collect. */
  readonly roots: ReadonlySet<number>;
  /** True when the roots are bubblewrap, which holds what is in its namespace. */
  readonly namespaces: boolean;
}

/** The first process of a namespace takes all others in it along, at one moment; then its starter ends by itself. */
function endNamespace(root: number) {
  const children = childrenOf(root);
  for (const pid of children) killExactly(pid, () => stateOf(pid)?.parent === root);
  if (children.length === 0) killExactly(root, () => stateOf(root)?.parent === process.pid);
}

/** Kills what carries the mark in a tree, each with its group, which is one of the call's own session. */
function endTree(top: number, mark: number) {
  for (const pid of treeOf(top, mostAtOnce)) {
    killExactly(pid, () => {
      if (markOf(pid) !== mark) return false;
      const state = stateOf(pid);
      if (state !== undefined) killGroup(state.group);
      return true;
    });
  }
}

/** A root carries its mark only when it has become what it was started for. */
function endRoot(root: number, mark: number) {
  endTree(root, mark);
  killExactly(root, () => stateOf(root)?.parent === process.pid);
}

/** One look at all that is there; returns how many of our children still belonged to the call. */
function endOnce({ mark, roots, namespaces }: Call, foreign: ReadonlySet<number>): number {
  let left = 0;
  for (const pid of childrenOf(process.pid)) {
    const isRoot = roots.has(pid);
    if (!isRoot && (foreign.has(pid) || markOf(pid) !== mark)) continue;
    const hasEnded = stateOf(pid)?.ended ?? true;
    // Bun collects the roots.
    if (isRoot && hasEnded) continue;
    left += 1;
    if (hasEnded) reap(pid);
    else if (!isRoot) endTree(pid, mark);
    else if (namespaces) endNamespace(pid);
    else endRoot(pid, mark);
  }
  return left;
}

/**
 * Ends every process of a call, those too that left its session or its parents: orphans come to us, and their mark tells
 * whose they are. Resolves when none is left; rejects when one cannot be ended for ten seconds. `foreign` are children of
 * ours that need not be looked at.
 */
export async function endCall(call: Call, foreign: ReadonlySet<number> = new Set()) {
  const until = performance.now() + mostMs;
  for (let round = 1; endOnce(call, foreign) > 0; round += 1) {
    if (performance.now() > until) throw new Error("Processes of a call cannot be ended.");
    // Lets Bun collect what ended.
    if (round % roundsAtOnce === 0) await Bun.sleep(1);
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The same for a program that somebody else started: all in the tree below us that carries the mark. */
export async function endMarked(mark: number) {
  const until = performance.now() + mostMs;
  for (;;) {
    const living = treeOf(process.pid).filter((pid) => markOf(pid) === mark && stateOf(pid)?.ended === false);
    if (living.length === 0) return;
    if (performance.now() > until) throw new Error("Processes of a call cannot be ended.");
    for (const pid of living) killExactly(pid, () => markOf(pid) === mark);
    await Bun.sleep(1);
  }
}

/** Ended children that nobody collects. Bun collects its own at once, so what is there twice, `waitMs` apart, is nobody's. */
export async function reapOrphans(waitMs = 1000) {
  const ended = () => childrenOf(process.pid).filter((pid) => stateOf(pid)?.ended);
  const first = ended();
  if (first.length === 0) return;
  await Bun.sleep(waitMs);
  const still = new Set(ended());
  for (const pid of first) if (still.has(pid)) reap(pid);
}
