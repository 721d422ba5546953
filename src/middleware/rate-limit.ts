import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import type { Store } from "../store/open.ts";
import * as turns from "../store/turns.ts";

const minuteMs = 60_000;

/** Bounds the turns that a session begins in a minute. They are counted in the store, so on every door. */
export function rateLimit(turnsPerMinute: number, store: Store, now: () => number = Date.now): Middleware {
  async function* counted(turn: Turn, sessionId: string, next: RunTurn): AsyncIterable<TurnEvent> {
    const since = now() - minuteMs;
    // The turn itself is counted: it began before it came here.
    const begun = await store.read((tx) => turns.startedSince(tx, sessionId, since));
    if (begun.count > turnsPerMinute) {
      const retryAfterMs = Math.max(1000, begun.firstAt + minuteMs - now());
      throw new AppError(
        "rate_limited",
        `This session may begin ${turnsPerMinute} turns a minute (OPENCLAW_SESSION_RATE_PER_MINUTE). Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
        { retryAfterMs },
      );
    }
    yield* next(turn);
  }
  return (turn, next) =>
    turn.sessionId === undefined || turnsPerMinute === 0 ? next(turn) : counted(turn, turn.sessionId, next);
}
