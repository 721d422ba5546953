import { publicError } from "../errors.ts";
import type { Store } from "../store/open.ts";
import type { TurnRow } from "../store/turns.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import type { SessionLogs } from "./events.ts";
import { answerWithoutEvents } from "./stored-answer.ts";
import { endsTurn, type Listener, type SessionEvent, type Unsubscribe } from "./turns.ts";

interface Repeating {
  readonly store: Store;
  readonly logs: SessionLogs;
}

/**
 * Tells the events of a turn again, and what still comes of it; resolves when it is told so far. Where the reader may be
 * slow, nobody waits for that before the message counts as accepted: what fails is then told, and not thrown.
 */
export async function repeat(row: TurnRow, listener: Listener, of: Repeating): Promise<void> {
  if (listener.room === undefined) return tellAgain(row, listener, of);
  // Behind the caller's continuation, like the events of a new turn.
  await new Promise<void>((resolve) => setImmediate(resolve));
  await tellAgain(row, listener, of).catch((error: unknown) => tellFailed(row, listener, error));
}

async function tellAgain(row: TurnRow, listener: Listener, { store, logs }: Repeating) {
  const answer = await answerWithoutEvents(store, row);
  if (answer !== undefined) return answer.forEach((event) => listener(event));
  let unsubscribe: Unsubscribe | undefined;
  let over = row.endedAt !== undefined;
  const hear = (event: SessionEvent) => {
    if (over && unsubscribe !== undefined) return;
    if (event.turnId !== row.id) return;
    listener(event);
    if (!endsTurn(event.event)) return;
    over = true;
    unsubscribe?.();
  };
  const ear: Listener = Object.assign(hear, { room: listener.room });
  unsubscribe = await logs.follow(row.sessionId, `${row.firstEvent}`, ear);
  if (over) unsubscribe();
}

/** So that its reader can ask again. */
function tellFailed(row: TurnRow, listener: Listener, thrown: unknown) {
  const { code, message } = publicError(thrown);
  // Its reader has left.
  if (code === "cancelled") return;
  const { sessionId, id: turnId, messageId, firstEvent } = row;
  log.warn("the events of a turn could not be told again", {
    turn: turnId,
    session: sessionId,
    error: thrown,
  });
  const name = { sessionId, turnId, ...(messageId !== undefined && { messageId }) };
  listener({ ...name, cursor: `${firstEvent}`, event: { type: "failed", code, message } });
}
