import { cancelled } from "../errors.ts";
import type { Store } from "../store/open.ts";
import type { Tx } from "../store/tx.ts";

/** Tells the turns that wait in a session's line that one has ended, in this process or in another. */
export interface TurnEnds {
  /** Resolves at the next end in the session, or after a moment in which it may have been missed. Throws `cancelled`. */
  next(sessionId: string, signal: AbortSignal): Promise<void>;
  /** Tells the other processes, once `tx` is committed. */
  announce(tx: Tx, sessionId: string): Promise<void>;
  /** Tells this process. */
  tell(sessionId: string): void;
}

const topic = "turn_ended";

/** `lookAgainMs`: how long an end that nobody told may go unnoticed. */
export function createTurnEnds(store: Store, lookAgainMs = 1000): TurnEnds {
  const waiting = new Map<string, Set<() => void>>();

  function tell(sessionId: string) {
    for (const wake of waiting.get(sessionId) ?? []) wake();
  }

  store.listen(topic, (sessionId) => {
    if (sessionId !== "") return tell(sessionId);
    for (const session of waiting.keys()) tell(session);
  });

  return {
    tell,
    announce: (tx, sessionId) => store.signal(tx, topic, sessionId),
    async next(sessionId, signal) {
      if (signal.aborted) throw cancelled();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => reject(cancelled());
      const timer = setTimeout(resolve, lookAgainMs);
      const line = waiting.get(sessionId) ?? new Set();
      waiting.set(sessionId, line.add(resolve));
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        line.delete(resolve);
        if (line.size === 0 && waiting.get(sessionId) === line) waiting.delete(sessionId);
      }
    },
  };
}
