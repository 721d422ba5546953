import * as rows from "../store/events.ts";
import type { Store } from "../store/open.ts";
import type { Tx } from "../store/tx.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import { after, type Cursor, cursorText, joinProse, unitsOf } from "./cursor.ts";
import { readRow } from "./stored-events.ts";
import type { Listener, LoggedEvent } from "./turns.ts";

export interface TurnName {
  readonly sessionId: string;
  readonly turnId: string;
  readonly messageId?: string;
}

/** A turn that writes into the log. */
export interface Writer {
  readonly name: TurnName;
  /** Throws when this process may not write for the turn any more. */
  check(tx: Tx): Promise<void>;
  /** Set once that was seen: what it still told is not stored. */
  lost: boolean;
}

interface Told {
  readonly by: Writer;
  readonly event: LoggedEvent;
}

/** A session's log in memory: there while a turn of it runs here or somebody follows it. */
export interface LiveLog {
  readonly listeners: Set<Listener>;
  /** When its session was made: another one of its name has another log. */
  readonly createdAt: number;
  /** The last row that was told. */
  row(): number;
  /** Tells a light event at once; it is stored with the next commit, or after a moment. */
  tell(by: Writer, event: LoggedEvent): void;
  /** Stores what was told, and `event`, in one commit with what `also` writes; then tells the event. */
  commit(by: Writer, event: LoggedEvent | undefined, also: (tx: Tx) => Promise<void>): Promise<void>;
  /** Tells an event that could not be stored. */
  tellUnstored(by: Writer, event: LoggedEvent): void;
  /** Tells the rows that another process has written, as far as `row` at least. */
  catchUp(row: number): Promise<void>;
  /** Resolves when nothing is on its way to the store. */
  settled(): Promise<void> | undefined;
  /** Tells one listener what is in memory only, but for the first `heard` units of it. */
  tellTail(heard: number, listener: Listener): void;
}

/** The topic under which new rows are told between processes; the payload names the session, when it was made and its last row. */
export const newEvents = "events";

const signalText = (sessionId: string, createdAt: number, row: number) => `${createdAt} ${row} ${sessionId}`;

export function readSignal(payload: string): { sessionId: string; createdAt: number; row: number } {
  const [createdAt, row, ...sessionId] = payload.split(" ");
  return { sessionId: sessionId.join(" "), createdAt: Number(createdAt), row: Number(row) };
}

const flushMs = 250;
const flushUnits = 4096;
const pageRows = 200;

/** Rows hold the events of one turn: consecutive ones share a row. */
function grouped(tail: readonly Told[]): { by: Writer; events: LoggedEvent[] }[] {
  const groups: { by: Writer; events: LoggedEvent[] }[] = [];
  for (const { by, event } of tail) {
    const last = groups.at(-1);
    if (last?.by === by) last.events.push(event);
    else groups.push({ by, events: [event] });
  }
  return groups;
}

/** The log of one session; `row` is its last event in the store, `listeners` are those of an earlier session of its name. */
export function createLiveLog(
  store: Store,
  of: { sessionId: string; createdAt: number; row: number; listeners?: Set<Listener> | undefined },
  now: () => number,
): LiveLog {
  const { sessionId, createdAt, listeners = new Set<Listener>() } = of;
  let { row } = of;
  /** Told, and not stored yet. */
  let tail: Told[] = [];
  /** Units told since `row`, those that are being stored included. */
  let told = 0;
  /** While an event that must be stored first is on its way: what is to be told behind it. */
  let held: Told[] | undefined;
  let storing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function say({ by, event }: Told, cursor: Cursor) {
    if (listeners.size === 0) return;
    const said = { ...by.name, cursor: cursorText(cursor), event };
    for (const listener of listeners) listener(said);
  }

  function tell(item: Told) {
    if (held !== undefined) {
      held.push(item);
      return;
    }
    tail.push(item);
    told += unitsOf(item.event);
    say(item, { row, told });
    // One at a time: what comes while the disk is slow is stored together afterwards.
    if (told >= flushUnits && storing === undefined) void flush();
    else timer ??= setTimeout(() => void flush(), flushMs);
  }

  /** Tells the rows between the last one told and `end`. */
  async function tellStored(end: number) {
    while (row < end - 1) {
      const page = await store.read((tx) => rows.after(tx, sessionId, row, { limit: pageRows }));
      for (const stored of page) {
        if (stored.seq >= end) return;
        for (const event of readRow(sessionId, stored, { row, told: 0 }).heard) {
          for (const listener of listeners) listener(event);
        }
        row = stored.seq;
      }
      if (page.length < pageRows) return;
    }
  }

  /** Runs alone: nothing else moves `row` meanwhile. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    while (storing !== undefined) await storing;
    const done = Promise.withResolvers<void>();
    storing = done.promise;
    try {
      return await work();
    } finally {
      storing = undefined;
      done.resolve();
    }
  }

  /** Writes rows and returns the numbers of the first and the last; undefined when there was nothing to write. */
  async function write(tx: Tx, items: readonly Told[]): Promise<{ first: number; last: number } | undefined> {
    let numbers: { first: number; last: number } | undefined;
    for (const { by, events } of grouped(items)) {
      const seq = await rows.append(
        tx,
        sessionId,
        by.name.turnId,
        [JSON.stringify(joinProse(events))],
        now(),
      );
      numbers = { first: numbers?.first ?? seq, last: seq };
    }
    if (numbers !== undefined)
      await store.signal(tx, newEvents, signalText(sessionId, createdAt, numbers.last));
    return numbers;
  }

  /** What may still be stored of the tail: text of a turn that was taken over is told by its new process. */
  async function stillOurs(tx: Tx, items: readonly Told[]): Promise<Told[]> {
    for (const writer of new Set(items.map((each) => each.by))) {
      await writer.check(tx).catch((error) => {
        if (!writer.lost) throw error;
      });
    }
    return items.filter((each) => !each.by.lost);
  }

  async function persist(item: Told | undefined, by: Writer | undefined, also: (tx: Tx) => Promise<void>) {
    clearTimeout(timer);
    timer = undefined;
    const before = tail;
    tail = [];
    if (item !== undefined) held = [];
    try {
      const written = await store.write(async (tx) => {
        await by?.check(tx);
        const ours = await stillOurs(
          tx,
          before.filter((each) => each.by !== by),
        );
        await also(tx);
        const items = before.filter((each) => each.by === by || ours.includes(each));
        return write(tx, item === undefined ? items : [...items, item]);
      });
      if (written !== undefined) {
        await tellStored(written.first).catch((error) => {
          log.warn("what another process did in a session could not be read", { session: sessionId, error });
        });
        row = written.last;
      }
      told = tail.reduce((sum, each) => sum + unitsOf(each.event), 0);
      if (item !== undefined) say(item, { row, told: 0 });
    } catch (error) {
      tail = [...before, ...tail].filter((each) => !each.by.lost);
      throw error;
    } finally {
      const release = held ?? [];
      held = undefined;
      for (const each of release) tell(each);
    }
  }

  async function flush() {
    timer = undefined;
    if (tail.length === 0) return;
    try {
      await alone(() => persist(undefined, undefined, async () => {}));
    } catch (error) {
      log.warn("the text of a running turn could not be stored yet", { session: sessionId, error });
    }
  }

  return {
    listeners,
    createdAt,
    row: () => row,
    tell: (by, event) => tell({ by, event }),
    commit: (by, event, also) => alone(() => persist(event && { by, event }, by, also)),
    tellUnstored: (by, event) => say({ by, event }, { row, told }),
    async catchUp(upTo) {
      if (upTo > row || storing !== undefined) await alone(() => tellStored(upTo + 1));
    },
    settled: () => storing,
    tellTail(heard, listener) {
      let skip = heard;
      let seen = 0;
      for (const { by, event } of tail) {
        const units = unitsOf(event);
        const rest = after(event, Math.min(skip, units));
        skip = Math.max(0, skip - units);
        seen += units;
        if (rest !== undefined)
          listener({ ...by.name, cursor: cursorText({ row, told: seen }), event: rest });
      }
    },
  };
}
