import { isLeaseLost } from "../agent/begin-turn.ts";
import { AppError } from "../errors.ts";
import * as rows from "../store/events.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import { type Cursor, cursorText, readCursor } from "./cursor.ts";
import {
  createLiveLog,
  type LiveLog,
  newEvents,
  readSignal,
  type TurnName,
  type Writer,
} from "./live-log.ts";
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

/** Where a session stands: which one of its name it is, and its last event. */
export type Place = Pick<sessions.Session, "createdAt" | "lastEvent">;

export interface SessionLogs {
  /** `listener` hears the events of this turn alone, until its end: also when another process has taken it over. */
  open(turn: TurnName, check: Writer["check"], session: Place, listener?: Listener): TurnLog;
  follow(sessionId: string, from: string | undefined, listener: Listener): Promise<Unsubscribe>;
}

/** Few: they are held while a slow reader takes them. */
const pageRows = 32;

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
  log: LiveLog;
  /** Turns and replays that need it. */
  users: number;
}

/** The logs of all sessions: written by the turns that run here, told to who listens, read again by who comes back. */
export function createSessionLogs(store: Store, now: () => number = Date.now): SessionLogs {
  const lives = new Map<string, Open>();

  function use(sessionId: string, session: Place): Open {
    const { createdAt, lastEvent: row } = session;
    const known = lives.get(sessionId);
    if (known !== undefined) renew(sessionId, known, session);
    const live = known ?? { log: createLiveLog(store, { sessionId, createdAt, row }, now), users: 0 };
    lives.set(sessionId, live);
    live.users++;
    return live;
  }

  /** Where a session was deleted and begun anew, its log begins anew for those who listen. */
  function renew(sessionId: string, live: Open, { createdAt, lastEvent }: Place) {
    const { listeners, createdAt: before } = live.log;
    if (createdAt === before) return;
    live.log = createLiveLog(store, { sessionId, createdAt, row: 0, listeners }, now);
    void catchUp(sessionId, live, lastEvent);
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
    const { log: known } = live;
    try {
      if (row !== undefined) return await known.catchUp(row);
      const session = await store.read((tx) => sessions.find(tx, sessionId));
      // Where it was begun anew here meanwhile, this read may be older.
      if (session === undefined || live.log !== known) return;
      renew(sessionId, live, session);
      await live.log.catchUp(session.lastEvent);
    } catch (error) {
      log.warn("what another process did in a session could not be read yet", { session: sessionId, error });
    }
  }

  // Another process has written; an empty signal says that some may have been missed.
  store.listen(newEvents, (payload) => {
    if (payload === "") {
      for (const [sessionId, live] of lives) void catchUp(sessionId, live, undefined);
      return;
    }
    const { sessionId, createdAt, row } = readSignal(payload);
    const live = lives.get(sessionId);
    if (live === undefined) return;
    if (createdAt !== live.log.createdAt) void catchUp(sessionId, live, undefined);
    else if (row > live.log.row()) void catchUp(sessionId, live, row);
  });

  /** Tells the stored events behind `from`, page by page, until it has caught up with what is told live. */
  async function replay(sessionId: string, live: LiveLog, from: Cursor, listener: Listener): Promise<Cursor> {
    let at = from;
    for (;;) {
      const stood = live.row();
      const page = await store.read((tx) => rows.after(tx, sessionId, at.row, { limit: pageRows }));
      for (const stored of page) {
        const { heard, next } = readRow(sessionId, stored, at);
        for (const event of heard) {
          listener(event);
          const room = listener.room?.();
          if (room !== undefined) await room;
        }
        at = next;
      }
      const settled = live.settled();
      if (settled !== undefined) await settled;
      // Rows that were told and are in no page are gone, with their session perhaps: nobody waits for them.
      else if (page.length < pageRows && (at.row >= live.row() || live.row() === stood)) return at;
    }
  }

  return {
    open(name, check, session, listener) {
      const live = use(name.sessionId, session);
      const { log: own } = live;
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
        const ear: Listener = (event) => {
          if (event.turnId !== name.turnId) return;
          listener(event);
          if (!endsTurn(event.event)) return;
          own.listeners.delete(ear);
          forgetIdle(name.sessionId, live);
        };
        own.listeners.add(ear);
      }
      return {
        tell: (event) => own.tell(writer, event),
        commit: (event, also) => own.commit(writer, event, also),
        tellUnstored: (event) => own.tellUnstored(writer, event),
        close: () => leave(name.sessionId, live),
      };
    },

    async follow(sessionId, from, listener) {
      const cursor = from === undefined ? undefined : readCursor(from);
      const session = await store.read((tx) => sessions.find(tx, sessionId));
      if (session === undefined) throw new AppError("not_found", `There is no session ${sessionId}.`);
      const live = use(sessionId, session);
      const { log: known } = live;
      try {
        if (cursor !== undefined && cursor.row > Math.max(session.lastEvent, known.row())) {
          throw new AppError("bad_request", `The cursor ${from} is not of session ${sessionId}.`, {
            param: "after",
          });
        }
        if (cursor !== undefined) {
          await checkKept(store, session, cursor);
          const reached = await replay(sessionId, known, cursor, listener);
          known.tellTail(reached.told, listener);
        }
        known.listeners.add(listener);
      } finally {
        leave(sessionId, live);
      }
      return () => {
        known.listeners.delete(listener);
        forgetIdle(sessionId, live);
      };
    },
  };
}
