import type { SQL } from "bun";
import { busy } from "../../errors.ts";
import type { Row, Tx } from "../tx.ts";
import { isUnreachable } from "./faults.ts";
import type { Outage } from "./outage.ts";
import { bounded, closeNow, createTx } from "./session.ts";

export interface PostgresReader {
  /** Each statement runs by itself, on any connection. */
  readonly tx: Tx;
  close(): void;
}

export interface PostgresReaderOptions {
  /** Makes a pool of `max` connections. */
  open(max: number): SQL;
  readonly max: number;
  readonly timeoutMs: number;
  readonly outage: Outage;
}

/** Reads through a pool. A statement whose connection is lost is asked again: it changes nothing. */
export function createPostgresReader({
  open,
  max,
  timeoutMs,
  outage,
}: PostgresReaderOptions): PostgresReader {
  const gate = createGate(max, timeoutMs);
  let pool = open(max);
  /** For a pool that hangs; what else runs in it is asked again in the new one. */
  const replace = (silent: SQL) => {
    if (pool !== silent) return;
    pool = open(max);
    closeNow(silent);
  };
  const tx = createTx((parts, values) =>
    gate(async () => {
      for (;;) {
        const used = pool;
        try {
          const rows = await bounded(used<Row[]>(parts, ...values), timeoutMs, () => replace(used));
          outage.over();
          return rows;
        } catch (error) {
          if (!isUnreachable(error)) throw error;
          await outage.wait(error);
        }
      }
    }),
  );
  return { tx, close: () => closeNow(pool) };
}

const mostWaiting = 20_000;

/** Lets `most` run at once; one that waits longer than `waitMs` for its place is refused as `busy`. */
export function createGate(most: number, waitMs: number) {
  let running = 0;
  const waiting = new Set<() => void>();

  const enter = async () => {
    if (running < most) {
      running += 1;
      return;
    }
    if (waiting.size >= mostWaiting) throw busy();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      waiting.delete(resolve);
      reject(busy());
    }, waitMs);
    waiting.add(resolve);
    await promise.finally(() => clearTimeout(timer));
  };
  const leave = () => {
    const [next] = waiting;
    // The place is handed on.
    if (next === undefined) running -= 1;
    else {
      waiting.delete(next);
      next();
    }
  };

  return async <T>(act: () => Promise<T>): Promise<T> => {
    await enter();
    try {
      return await act();
    } finally {
      leave();
    }
  };
}
