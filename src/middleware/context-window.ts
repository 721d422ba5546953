import { AppError } from "../errors.ts";
import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";

/** Loads what fits the model's window of a kept session's path, newest first to survive, and the session's model. */
export function contextWindow(contextBytes: number, store: Store): Middleware {
  async function* loaded(turn: Turn, sessionId: string, next: RunTurn): AsyncIterable<TurnEvent> {
    const { session, path } = await store.read(async (tx) => {
      const session = await sessions.find(tx, sessionId);
      const leafId = session?.leafId;
      return { session, path: leafId === undefined ? [] : await sessions.path(tx, leafId, contextBytes) };
    });
    if (session === undefined) throw new AppError("not_found", `The session ${sessionId} was deleted.`);
    const model = turn.request.model ?? session.model;
    yield* next({
      ...turn,
      entries: path.map((entry) => entry.message),
      request: model === undefined ? turn.request : { ...turn.request, model },
    });
  }
  return (turn, next) => (turn.sessionId === undefined ? next(turn) : loaded(turn, turn.sessionId, next));
}

const bytesPerToken = 3;

/** Bytes of messages that a window of `tokens` holds with room left for the reply: a careful guess, until usage says better. */
export const windowBytes = (tokens: number) =>
  (tokens - Math.min(8192, Math.floor(tokens / 4))) * bytesPerToken;
