import { type ChannelSweep, sweepChannels, sweepLines } from "../store/channel-sweep.ts";
import type { Store } from "../store/open.ts";

export interface ChannelSweepRules {
  /** How long a delivery is known again. */
  readonly replayMs: number;
  /** How long what was sent is kept: its text is gone already. */
  readonly sentMs?: number;
  /** How long what was given up is kept, for who wants to try again. */
  readonly deadMs?: number;
}

const dayMs = 86_400_000;
const rowsAtOnce = 500;
const pauseMs = 20;

/** Forgets deliveries, sent and given up messages, codes and idle recipients that had their time, a little at once, until the signal. */
export async function sweepOldDeliveries(
  store: Store,
  { replayMs, sentMs = 7 * dayMs, deadMs = 30 * dayMs }: ChannelSweepRules,
  { signal, now = Date.now }: { signal: AbortSignal; now?: () => number },
): Promise<void> {
  const at = now();
  const before: ChannelSweep = {
    deliveries: at - replayMs,
    sent: at - sentMs,
    dead: at - deadMs,
    codes: at - dayMs,
  };
  for (let more = true; more && !signal.aborted;) {
    more = !(await store.write((tx) => sweepChannels(tx, before, rowsAtOnce)));
    await Bun.sleep(pauseMs);
  }
  for (let more = true; more && !signal.aborted;) {
    more = !(await store.write((tx) => sweepLines(tx, rowsAtOnce)));
    await Bun.sleep(pauseMs);
  }
}
