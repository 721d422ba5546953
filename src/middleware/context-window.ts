import type { Compaction } from "../agent/compact.ts";
import { pastOf, readPath } from "../agent/past.ts";
import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { countAnswers } from "../store/entries.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";

export interface ContextWindowParts {
  readonly store: Store;
  /** Bytes of messages that fit the model's window beside its reply. */
  readonly contextBytes: number;
  /** Absent: what does not fit is left out. */
  readonly compaction?: Compaction;
}

/**
 * Loads what fits the model's window of a kept session's path, newest first to survive, and the session's model. Where
 * the path has grown too long its older part is summed up first.
 */
export function contextWindow({ store, contextBytes, compaction }: ContextWindowParts): Middleware {
  const load = (turn: Turn, sessionId: string) =>
    store.read(async (tx) => {
      const session = await sessions.find(tx, sessionId);
      if (session === undefined) throw new AppError("not_found", `The session ${sessionId} was deleted.`);
      const stored = await readPath(tx, session.leafId, contextBytes);
      // Not counted in what was read: of a turn that goes on that may be the end alone.
      const step = turn.resumed ? await countAnswers(tx, sessionId, turn.id) : 0;
      return { session, stored, step, past: await pastOf(tx, turn, stored.path) };
    });

  async function* loaded(turn: Turn, sessionId: string, next: RunTurn): AsyncIterable<TurnEvent> {
    const read = await load(turn, sessionId);
    const model = turn.request.model ?? read.session.model;
    const request = model === undefined ? turn.request : { ...turn.request, model };
    const ready: Turn = { ...turn, request };
    const changed = compaction !== undefined && (yield* compaction.automatic(ready, read.stored));
    const { entries, ...earlier } = changed ? (await load(turn, sessionId)).past : read.past;
    yield* next({ ...ready, entries, earlier, step: read.step });
  }

  return (turn, next) => (turn.sessionId === undefined ? next(turn) : loaded(turn, turn.sessionId, next));
}

const bytesPerToken = 3;

/** Bytes of messages that a window of `tokens` holds with room left for the reply: a careful guess, until usage says better. */
export const windowBytes = (tokens: number) =>
  (tokens - Math.min(8192, Math.floor(tokens / 4))) * bytesPerToken;
