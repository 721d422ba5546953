import { isLeaseLost } from "../agent/begin-turn.ts";
import { AppError } from "../errors.ts";
import * as rows from "../store/events.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import { type Cursor, cursorText, readCursor } from "./cursor.ts";
import { createLiveLog, type LiveLog, newEvents, type TurnName, type Writer } from "./live-log.ts";
import { readRow } from "./stored-events.ts";
import { endsTurn, type Listener, type LoggedEvent, type Unsubscribe } from "./turns.ts";

/** The log of one turn that runs in this process. */
export interface TurnLog {
  /** Tells a light event at once; it is stored with the next commit, or after a moment. */
  tell(event: LoggedEvent): void;
  /** Stores what was told, and `event`, in one commit with what `also` writes; then tells the event. Throws when the turn was taken over. */
  commit(event: LoggedEvent | undefined, also: (tx: Tx) => Promise<void>): Promise<void>;
  /** Tells an event that could not be stored. */
  tellUnstored(event: LoggedEvent): void;
  close(): void;
}

export interface SessionLogs {
  /**
   * `row` is the session's last event. `listener` hears the events of this turn alone, until its end: also when another
   * process has taken it over.
   */
  open(turn: TurnName, check: Writer["check"], row: number, listener?: Listener): TurnLog;
  follow(sessionId: string, from: string | undefined, listener: Listener): Promise<Unsubscribe>;
}

const pageRows = 200;

/** Throws `bad_request` when some of what follows the cursor had its time and was deleted. */
async function checkKept(store: Store, session: sessions.Session, cursor: Cursor): Promise<void> {
  const { id, lastEvent } = session;
  const oldest = (await store.read((tx) => rows.oldest(tx, id))) ?? lastEvent + 1;
  if (cursor.row >= oldest - 1) return;
  throw new AppError(
    "bad_request",
    `What followed cursor ${cursorText(cursor)} in session ${id} is not kept any more (OPENCLAW_EVENT_RETENTION_DAYS): read its messages, and resume from cursor ${lastEvent}.`,
    { param: "after" },
  );
}

interface Open {
  readonly log: LiveLog;
  /** Turns and replays that need it. */
  users: number;
}

/** The logs of all sessions: written by the turns that run here, told to who listens, read again by who comes back. */
export function createSessionLogs(store: Store, now: () => number = Date.now): SessionLogs {
  const lives = new Map<string, Open>();

  function use(sessionId: string, row: number): Open {
    const known = lives.get(sessionId);
    const live = known ?? { log: createLiveLog(store, sessionId, row, now), users: 0 };
    lives.set(sessionId, live);
    live.users++;
    return live;
  }

  function leave(sessionId: string, live: Open) {
    live.users--;
    forgetIdle(sessionId, live);
  }

  const forgetIdle = (sessionId: string, live: Open) => {
    if (live.users === 0 && live.log.listeners.size === 0 && lives.get(sessionId) === live)
      lives.delete(sessionId);
  };

  async function catchUp(sessionId: string, live: Open, row: number | undefined) {
    try {
      const last = row ?? (await store.read((tx) => sessions.find(tx, sessionId)))?.lastEvent ?? 0;
      await live.log.catchUp(last);
    } catch (error) {
      log.warn("what another process did in a session could not be read yet", { session: sessionId, error });
    }
  }

  // Another process has written; an empty signal says that some may have been missed.
  store.listen(newEvents, (payload) => {
    const at = payload.lastIndexOf(" ");
    if (at < 0) {
      for (const [sessionId, live] of lives) void catchUp(sessionId, live, undefined);
      return;
    }
    const sessionId = payload.slice(0, at);
    const live = lives.get(sessionId);
    const row = Number(payload.slice(at + 1));
    if (live !== undefined && row > live.log.row()) void catchUp(sessionId, live, row);
  });

  /** Tells the stored events behind `from`, page by page, until it has caught up with what is told live. */
  async function replay(sessionId: string, live: LiveLog, from: Cursor, listener: Listener): Promise<Cursor> {
    let at = from;
    for (;;) {
      const page = await store.read((tx) => rows.after(tx, sessionId, at.row, { limit: pageRows }));
      for (const stored of page) {
        const { heard, next } = readRow(sessionId, stored, at);
        for (const event of heard) listener(event);
        at = next;
      }
      const settled = live.settled();
      if (settled !== undefined) await settled;
      else if (page.length < pageRows && at.row >= live.row()) return at;
    }
  }

  return {
    open(name, check, row, listener) {
      const live = use(name.sessionId, row);
      const writer: Writer = {
        name,
        lost: false,
        async check(tx) {
          try {
            await check(tx);
          } catch (error) {
            writer.lost = isLeaseLost(error);
            throw error;
          }
        },
      };
      if (listener !== undefined) {
        const own: Listener = (event) => {
          if (event.turnId !== name.turnId) return;
          listener(event);
          if (!endsTurn(event.event)) return;
          live.log.listeners.delete(own);
          forgetIdle(name.sessionId, live);
        };
        live.log.listeners.add(own);
      }
      return {
        tell: (event) => live.log.tell(writer, event),
        commit: (event, also) => live.log.commit(writer, event, also),
        tellUnstored: (event) => live.log.tellUnstored(writer, event),
        close: () => leave(name.sessionId, live),
      };
    },

    async follow(sessionId, from, listener) {
      const cursor = from === undefined ? undefined : readCursor(from);
      const session = await store.read((tx) => sessions.find(tx, sessionId));
      if (session === undefined) throw new AppError("not_found", `There is no session ${sessionId}.`);
      const live = use(sessionId, session.lastEvent);
      try {
        if (cursor !== undefined && cursor.row > Math.max(session.lastEvent, live.log.row())) {
          throw new AppError("bad_request", `The cursor ${from} is not of session ${sessionId}.`, {
            param: "after",
          });
        }
        if (cursor !== undefined) {
          await checkKept(store, session, cursor);
          const reached = await replay(sessionId, live.log, cursor, listener);
          live.log.tellTail(reached.told, listener);
        }
        live.log.listeners.add(listener);
      } finally {
        leave(sessionId, live);
      }
      return () => {
        live.log.listeners.delete(listener);
        forgetIdle(sessionId, live);
      };
    },
  };
}
