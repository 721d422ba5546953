import { removeBefore } from "../store/job-run-sweep.ts";
import type { Store } from "../store/open.ts";

const rowsAtOnce = 500;
/** Between two writes, so that others have their turn. */
const pauseMs = 20;

/** Forgets the runs that ended longer ago than sessions are kept; 0 keeps them for ever. */
export async function sweepRuns(store: Store, keptMs: number, signal: AbortSignal, now = Date.now) {
  if (keptMs === 0) return;
  for (let more = true; more && !signal.aborted;) {
    more = (await store.write((tx) => removeBefore(tx, now() - keptMs, rowsAtOnce))) === rowsAtOnce;
    if (more) await Bun.sleep(pauseMs);
  }
}
