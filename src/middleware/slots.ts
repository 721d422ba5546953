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

/**
 * Bounds the turns at once. A turn that waits for a person or for `Retry-After` gives its slot back meanwhile. What
 * comes out is handed on as it is, without a generator around it: every token of every turn passes here.
 */
export function withSlots(slots: Slots): Middleware {
  function inSlot(turn: Turn, next: RunTurn): AsyncIterator<TurnEvent> {
    let held = false;
    let over = false;
    let outside = 0;
    let inner: AsyncIterator<TurnEvent> | undefined;

    function giveBack() {
      if (held) slots.release();
      held = false;
    }

    function end() {
      over = true;
      giveBack();
    }

    async function outsideSlot<T>(wait: () => Promise<T>): Promise<T> {
      if (outside++ === 0) giveBack();
      try {
        return await wait();
      } finally {
        if (--outside === 0 && !over) {
          await slots.acquire(turn.signal, true);
          // Meanwhile the turn may have ended, or another of its calls gone outside or come back: it has one slot at most.
          if (over || held || outside > 0) slots.release();
          else held = true;
        }
      }
    }

    async function start(): Promise<IteratorResult<TurnEvent>> {
      await slots.acquire(turn.signal);
      held = true;
      inner = next({ ...turn, outsideSlot })[Symbol.asyncIterator]();
      return step(inner);
    }

    function step(iterator: AsyncIterator<TurnEvent>) {
      const result = iterator.next();
      result.then(({ done }) => done && end(), end);
      return result;
    }

    return {
      next: () => (inner === undefined ? start() : step(inner)),
      async return() {
        try {
          await inner?.return?.();
        } finally {
          end();
        }
        return { done: true, value: undefined };
      },
    };
  }
  return (turn, next) => ({ [Symbol.asyncIterator]: () => inSlot(turn, next) });
}
