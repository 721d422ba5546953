import * as processes from "../store/processes.ts";
import type { Store } from "../store/open.ts";
import { turnsLog as log } from "../telemetry/log.ts";

export interface Heartbeat {
  /** Beats, and again every quarter of the lease; `act` is told who lives after each beat. */
  start(act: (living: ReadonlySet<string>) => Promise<void>): Promise<void>;
  /** Ends it, so that the others need not wait for this process. */
  stop(): Promise<void>;
}

/**
 * Shows the processes that share the database that this one lives, and finds those that do not: their beat has not
 * changed for a lease by this process's own clock, while it looked, so no two clocks are ever compared.
 */
export function createHeartbeat(store: Store, id: string, leaseMs: number): Heartbeat {
  const seen = new Map<string, { beat: number; at: number }>();
  let lookedAt = performance.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  let beating: Promise<void> | undefined;

  async function living(): Promise<ReadonlySet<string>> {
    await store.write((tx) => processes.beat(tx, id));
    const rows = await store.read((tx) => processes.list(tx));
    const now = performance.now();
    // Who could not look for a while (the database was away, or this process slept) does not know who was silent.
    if (now - lookedAt > leaseMs / 2) seen.clear();
    lookedAt = now;
    for (const { id: other, beat } of rows) {
      if (seen.get(other)?.beat !== beat) seen.set(other, { beat, at: now });
    }
    const alive = rows.filter((row) => row.id === id || now - (seen.get(row.id)?.at ?? now) < leaseMs);
    const names = new Set(alive.map((row) => row.id));
    for (const row of rows) {
      if (!names.has(row.id)) await store.write((tx) => processes.remove(tx, row.id));
    }
    for (const other of seen.keys()) if (!names.has(other)) seen.delete(other);
    return names;
  }

  return {
    async start(act) {
      const beat = async () => {
        try {
          await act(await living());
        } catch (error) {
          log.warn("this process could not show that it lives", { error });
        }
      };
      const next = () => {
        beating ??= beat().finally(() => {
          beating = undefined;
        });
        return beating;
      };
      timer = setInterval(next, leaseMs / 4);
      await next();
    },
    async stop() {
      clearInterval(timer);
      await beating;
      await store.write((tx) => processes.remove(tx, id)).catch(() => {});
    },
  };
}
