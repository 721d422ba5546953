import { beginTurn, checkLease } from "../agent/begin-turn.ts";
import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import type { TurnEnds } from "../agent/turn-ends.ts";
import type { Store } from "../store/open.ts";
import type { Tx } from "../store/tx.ts";
import * as turns from "../store/turns.ts";

/**
 * Turns of one session run one after the other, in order of arrival, whichever process they came to; other sessions
 * never wait for them. The line is in the store: a turn begins when no earlier one of its session is unfinished.
 */
export function oneAtATime(store: Store, ends: TurnEnds, now: () => number = Date.now): Middleware {
  async function tryBegin(tx: Tx, turn: Turn, sessionId: string): Promise<boolean> {
    const { lease } = turn;
    await checkLease(tx, turn.id, lease);
    if (lease !== undefined && (await turns.hasEarlier(tx, sessionId, lease.seq))) return false;
    await beginTurn(tx, { turnId: turn.id, sessionId, messages: turn.entries, now: now() });
    return true;
  }

  async function* inLine(turn: Turn, sessionId: string, next: RunTurn): AsyncIterable<TurnEvent> {
    let told = false;
    // Listened for before it is looked, so that no end falls in between.
    for (let end = ends.next(sessionId, turn.signal); ; end = ends.next(sessionId, turn.signal)) {
      end.catch(() => {});
      if (await store.write((tx) => tryBegin(tx, turn, sessionId))) break;
      if (!told) yield { type: "status", code: "queued", text: "waiting for the turn before" };
      told = true;
      await end;
    }
    yield* next({ ...turn, entries: [] });
  }

  return (turn, next) => {
    if (turn.sessionId === undefined) return next(turn);
    // With nothing before it, it began when it was accepted.
    return turn.lease?.begun ? next({ ...turn, entries: [] }) : inLine(turn, turn.sessionId, next);
  };
}
