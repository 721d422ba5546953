import * as v from "valibot";
import { AppError } from "../errors.ts";
import * as rows from "../store/events.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import { log } from "../telemetry/log.ts";
import { after, type Cursor, cursorText, isLight, joinProse, readCursor, unitsOf } from "./cursor.ts";
import type { Listener, LoggedEvent, SessionEvent, Unsubscribe } from "./turns.ts";

export interface TurnName {
  readonly sessionId: string;
  readonly turnId: string;
  readonly messageId?: string;
}

interface Told {
  readonly turn: TurnName;
  readonly event: LoggedEvent;
}

/** A session's log in memory: there while a turn of it runs or somebody follows it. */
interface Live {
  /** The last stored row. */
  row: number;
  /** Told since, not stored yet. */
  tail: Told[];
  /** Units told since `row`, those that are being stored included. */
  told: number;
  /** While an event that must be stored first is on its way: what is to be told behind it. */
  held: Told[] | undefined;
  storing: Promise<void> | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly listeners: Set<Listener>;
  /** Turns that write here. */
  writers: number;
}

/** The log of one turn that runs in this process. */
export interface TurnLog {
  /** Tells a light event at once; it is stored with the next commit, or after a moment. */
  tell(event: LoggedEvent): void;
  /** Stores what was told, and `event`, in one commit with what `also` writes; then tells the event. */
  commit(event: LoggedEvent | undefined, also: (tx: Tx) => Promise<void>): Promise<void>;
  /** Tells an event that could not be stored. */
  tellUnstored(event: LoggedEvent): void;
  close(): void;
}

export interface SessionLogs {
  /** `row` is the session's last event; `listener` hears the events of this turn alone. */
  open(turn: TurnName, row: number, listener?: Listener): TurnLog;
  follow(sessionId: string, from: string | undefined, listener: Listener): Promise<Unsubscribe>;
}

const flushMs = 250;
const flushUnits = 4096;
const pageRows = 200;

/** Only this file writes rows, but a row comes from a database all the same. */
const StoredEvents = v.array(v.looseObject({ type: v.string() }));
const readEvents = (json: string) => v.parse(StoredEvents, JSON.parse(json)) as unknown as LoggedEvent[];

/** Rows hold the events of one turn: consecutive ones share a row. */
function grouped(tail: readonly Told[]): { turn: TurnName; events: LoggedEvent[] }[] {
  const groups: { turn: TurnName; events: LoggedEvent[] }[] = [];
  for (const { turn, event } of tail) {
    const last = groups.at(-1);
    if (last?.turn.turnId === turn.turnId) last.events.push(event);
    else groups.push({ turn, events: [event] });
  }
  return groups;
}

/** The logs of all sessions: written by the turns that run here, told to who listens, read again by who comes back. */
export function createSessionLogs(store: Store, now: () => number = Date.now): SessionLogs {
  const lives = new Map<string, Live>();

  function live(sessionId: string, row: number): Live {
    const known = lives.get(sessionId);
    if (known !== undefined) return known;
    const made: Live = {
      row,
      tail: [],
      told: 0,
      held: undefined,
      storing: undefined,
      timer: undefined,
      listeners: new Set(),
      writers: 0,
    };
    lives.set(sessionId, made);
    return made;
  }

  const forgetIdle = (sessionId: string, of: Live) => {
    if (of.writers === 0 && of.listeners.size === 0 && lives.get(sessionId) === of) lives.delete(sessionId);
  };

  function say(of: Live, { turn, event }: Told, cursor: Cursor) {
    if (of.listeners.size === 0) return;
    const said: SessionEvent = { ...turn, cursor: cursorText(cursor), event };
    for (const listener of of.listeners) listener(said);
  }

  function tell(of: Live, item: Told) {
    if (of.held !== undefined) {
      of.held.push(item);
      return;
    }
    of.tail.push(item);
    of.told += unitsOf(item.event);
    say(of, item, { row: of.row, told: of.told });
    // One at a time: what comes while the disk is slow is stored together afterwards.
    if (of.told >= flushUnits && of.storing === undefined) void flush(of);
    else of.timer ??= setTimeout(() => void flush(of), flushMs);
  }

  async function persist(of: Live, item: Told | undefined, also: (tx: Tx) => Promise<void>) {
    while (of.storing !== undefined) await of.storing;
    clearTimeout(of.timer);
    of.timer = undefined;
    const tail = of.tail;
    of.tail = [];
    if (item !== undefined) of.held = [];
    const written = store.write(async (tx) => {
      await also(tx);
      let row: number | undefined;
      for (const { turn, events } of grouped(item === undefined ? tail : [...tail, item])) {
        const json = JSON.stringify(joinProse(events));
        row = await rows.append(tx, turn.sessionId, turn.turnId, [json], now());
      }
      return row;
    });
    of.storing = written.then(
      () => undefined,
      () => undefined,
    );
    let release: Told[] = [];
    try {
      of.row = (await written) ?? of.row;
      of.told = of.tail.reduce((sum, told) => sum + unitsOf(told.event), 0);
      if (item !== undefined) say(of, item, { row: of.row, told: 0 });
    } catch (error) {
      of.tail = [...tail, ...of.tail];
      throw error;
    } finally {
      of.storing = undefined;
      release = of.held ?? [];
      of.held = undefined;
    }
    for (const held of release) tell(of, held);
  }

  async function flush(of: Live) {
    if (of.tail.length === 0) return;
    try {
      await persist(of, undefined, async () => {});
    } catch (error) {
      log.warn("the text of a running turn could not be stored yet", { error });
    }
  }

  /** Tells the stored events behind `from`, page by page, until it has caught up with what is told live. */
  async function replay(sessionId: string, of: Live, from: Cursor, listener: Listener): Promise<Cursor> {
    let { row, told } = from;
    for (;;) {
      const page = await store.read((tx) => rows.after(tx, sessionId, row, { limit: pageRows }));
      for (const stored of page) {
        const turn = {
          sessionId,
          turnId: stored.turnId,
          ...(stored.messageId && { messageId: stored.messageId }),
        };
        const events = readEvents(stored.json);
        let seen = 0;
        for (const [at, event] of events.entries()) {
          const units = unitsOf(event);
          const rest = isLight(event) ? after(event, Math.min(told, units)) : event;
          told = isLight(event) ? Math.max(0, told - units) : 0;
          seen += units;
          const cursor = at === events.length - 1 ? { row: stored.seq, told: 0 } : { row, told: seen };
          if (rest !== undefined) listener({ ...turn, cursor: cursorText(cursor), event: rest });
        }
        row = stored.seq;
      }
      if (of.storing !== undefined) await of.storing;
      else if (page.length < pageRows && row >= of.row) return { row, told };
    }
  }

  /** Tells what is in memory only, skipping what the listener has heard. */
  function tellTail(of: Live, heard: number, listener: Listener) {
    let skip = heard;
    let seen = 0;
    for (const { turn, event } of of.tail) {
      const units = unitsOf(event);
      const rest = after(event, Math.min(skip, units));
      skip = Math.max(0, skip - units);
      seen += units;
      if (rest !== undefined)
        listener({ ...turn, cursor: cursorText({ row: of.row, told: seen }), event: rest });
    }
  }

  return {
    open(turn, row, listener) {
      const of = live(turn.sessionId, row);
      of.writers++;
      const own = listener && ((event: SessionEvent) => event.turnId === turn.turnId && listener(event));
      if (own !== undefined) of.listeners.add(own as Listener);
      return {
        tell: (event) => tell(of, { turn, event }),
        commit: (event, also) => persist(of, event && { turn, event }, also),
        tellUnstored: (event) => say(of, { turn, event }, { row: of.row, told: of.told }),
        close() {
          of.writers--;
          if (own !== undefined) of.listeners.delete(own as Listener);
          forgetIdle(turn.sessionId, of);
        },
      };
    },

    async follow(sessionId, from, listener) {
      const cursor = from === undefined ? undefined : readCursor(from);
      const session = await store.read((tx) => sessions.find(tx, sessionId));
      if (session === undefined) throw new AppError("not_found", `There is no session ${sessionId}.`);
      const of = live(sessionId, session.lastEvent);
      if (cursor !== undefined && cursor.row > of.row) {
        throw new AppError("bad_request", `The cursor ${from} is not of session ${sessionId}.`, {
          param: "after",
        });
      }
      of.writers++;
      try {
        if (cursor !== undefined) {
          const reached = await replay(sessionId, of, cursor, listener);
          tellTail(of, reached.told, listener);
        }
        of.listeners.add(listener);
      } finally {
        of.writers--;
        forgetIdle(sessionId, of);
      }
      return () => {
        of.listeners.delete(listener);
        forgetIdle(sessionId, of);
      };
    },
  };
}
