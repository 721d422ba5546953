import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { busy, cancelled } from "../errors.ts";

export interface Slots {
  /**
   * Takes a slot, waiting for one in order; throws `busy` when too many wait, `cancelled` when the signal says so.
   * Who had one and comes back (`again`) may always wait.
   */
  acquire(signal: AbortSignal, again?: boolean): Promise<void>;
  release(): void;
  readonly running: number;
  readonly waiting: number;
}

/** `most` at once, and at most `mostWaiting` that wait. */
export function createSlots(most: number, mostWaiting: number): Slots {
  const line = new Set<() => void>();
  let running = 0;
  return {
    async acquire(signal, again = false) {
      if (signal.aborted) throw cancelled();
      if (running < most) {
        running++;
        return;
      }
      if (!again && line.size >= mostWaiting) throw busy();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => {
        // At once, so that no slot is handed to a turn that is gone.
        line.delete(resolve);
        reject(cancelled());
      };
      signal.addEventListener("abort", onAbort, { once: true });
      line.add(resolve);
      try {
        // The slot is handed over by `release`, which has counted it already.
        await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    release() {
      const [first] = line;
      if (first === undefined) {
        running--;
        return;
      }
      line.delete(first);
      first();
    },
    get running() {
      return running;
    },
    get waiting() {
      return line.size;
    },
  };
}

/** Bounds the turns at once. A turn that waits for a person or for `Retry-After` gives its slot back meanwhile. */
export function withSlots(slots: Slots): Middleware {
  async function* inSlot(turn: Turn, next: RunTurn): AsyncIterable<TurnEvent> {
    await slots.acquire(turn.signal);
    let held = true;
    let outside = 0;
    const outsideSlot = async <T>(wait: () => Promise<T>): Promise<T> => {
      if (outside++ === 0) {
        held = false;
        slots.release();
      }
      try {
        return await wait();
      } finally {
        if (--outside === 0) {
          await slots.acquire(turn.signal, true);
          held = true;
        }
      }
    };
    try {
      yield* next({ ...turn, outsideSlot });
    } finally {
      if (held) slots.release();
    }
  }
  return inSlot;
}
