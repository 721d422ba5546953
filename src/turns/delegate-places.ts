import { cancelled } from "../errors.ts";

/** Bounds the delegates of one turn that work at once; those that wait for a person have no place. */
export interface Places {
  /** Resolves when the turn has a place left; throws `cancelled` when the signal says so. `waits` is called where it is not at once. */
  enter(turnId: string, signal: AbortSignal, waits: () => void): Promise<void>;
  /** Who had a place and comes back has one at once. */
  comeBack(turnId: string): void;
  leave(turnId: string): void;
}

interface Taken {
  working: number;
  readonly line: Set<() => void>;
}

export function createPlaces(width: number): Places {
  const byTurn = new Map<string, Taken>();

  const of = (turnId: string): Taken => {
    const taken = byTurn.get(turnId) ?? { working: 0, line: new Set() };
    byTurn.set(turnId, taken);
    return taken;
  };

  return {
    async enter(turnId, signal, waits) {
      const taken = of(turnId);
      if (taken.working < width) {
        taken.working++;
        return;
      }
      if (signal.aborted) throw cancelled();
      waits();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => {
        taken.line.delete(resolve);
        reject(cancelled());
      };
      signal.addEventListener("abort", onAbort, { once: true });
      taken.line.add(resolve);
      try {
        // `leave` has counted us already.
        await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    comeBack(turnId) {
      of(turnId).working++;
    },
    leave(turnId) {
      const taken = of(turnId);
      taken.working--;
      const [first] = taken.line;
      if (first !== undefined && taken.working < width) {
        taken.line.delete(first);
        taken.working++;
        first();
      }
      // One that waits for a person is counted nowhere: it finds an empty place when it comes back.
      if (taken.working === 0 && taken.line.size === 0) byTurn.delete(turnId);
    },
  };
}
