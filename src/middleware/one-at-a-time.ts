import { beginTurn } from "../agent/begin-turn.ts";
import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { cancelled } from "../errors.ts";
import type { Store } from "../store/open.ts";

/** Waits for what is before in line, or throws when the turn is cancelled meanwhile. */
async function waitFor(before: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(cancelled());
  if (signal.aborted) throw cancelled();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([before, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Turns of one session run one after the other, in order of arrival; other sessions never wait for them. */
export function oneAtATime(store: Store, now: () => number = Date.now): Middleware {
  /** The end of each session's line. */
  const line = new Map<string, Promise<void>>();

  async function* inLine(turn: Turn, sessionId: string, next: RunTurn): AsyncIterable<TurnEvent> {
    const before = line.get(sessionId);
    const mine = Promise.withResolvers<void>();
    line.set(sessionId, mine.promise);
    try {
      if (before !== undefined) {
        yield { type: "status", code: "queued", text: "waiting for the turn before" };
        await waitFor(before, turn.signal);
      }
      if (turn.entries.length > 0) {
        const of = { turnId: turn.id, sessionId, messages: turn.entries, now: now() };
        await store.write((tx) => beginTurn(tx, of));
      }
      yield* next({ ...turn, entries: [] });
    } finally {
      // Who gave up waiting still stands in line: the next one must not run beside the one before.
      void (before ?? Promise.resolve()).then(() => {
        mine.resolve();
        if (line.get(sessionId) === mine.promise) line.delete(sessionId);
      });
    }
  }

  return (turn, next) => (turn.sessionId === undefined ? next(turn) : inLine(turn, turn.sessionId, next));
}
