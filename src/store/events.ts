import * as v from "valibot";
import { AppError } from "../errors.ts";
import { every, first, int, maybeText } from "./columns.ts";
import { pageSize } from "./page.ts";
import type { Tx } from "./tx.ts";

/** One row of a session's log. */
export interface EventRow {
  /** Its number in the session, from 1, without gaps. */
  readonly seq: number;
  readonly turnId: string;
  readonly json: string;
  /** The client's id of the message that began the turn. */
  readonly messageId?: string;
}

const StoredEvent = v.pipe(
  v.object({ seq: int, turn_id: v.string(), json: v.string(), message_id: maybeText }),
  v.transform((row): EventRow => ({
    seq: row.seq,
    turnId: row.turn_id,
    json: row.json,
    messageId: row.message_id,
  })),
);

const Last = v.object({ last_event: int });

/** Adds events to the end of a session's log. Returns the number of the first; throws `not_found` without the session. */
export async function append(
  tx: Tx,
  sessionId: string,
  turnId: string,
  events: readonly string[],
  now: number,
): Promise<number> {
  const last = first(
    Last,
    await tx`
      UPDATE sessions SET last_event = last_event + ${events.length} WHERE id = ${sessionId} RETURNING last_event`,
  );
  if (last === undefined)
    throw new AppError("not_found", `Cannot log an event: there is no session ${sessionId}.`);
  const begin = last.last_event - events.length + 1;
  for (const [index, json] of events.entries())
    await tx`
      INSERT INTO events (session_id, seq, turn_id, created_at, json)
      VALUES (${sessionId}, ${begin + index}, ${turnId}, ${now}, ${json})`;
  return begin;
}

const Seq = v.object({ seq: int });

/** Number of the oldest event of a session that is kept; undefined when none is. */
export async function oldest(tx: Tx, sessionId: string): Promise<number | undefined> {
  const rows = await tx`SELECT seq FROM events WHERE session_id = ${sessionId} ORDER BY seq LIMIT 1`;
  return first(Seq, rows)?.seq;
}

const mostRows = 1000;

/** What follows number `seq` in a session's log, or in the events of one turn of it, at most 1,000 rows. */
export async function after(
  tx: Tx,
  sessionId: string,
  seq: number,
  options: { turnId?: string; limit: number },
): Promise<EventRow[]> {
  const limit = pageSize(options.limit, mostRows);
  const rows =
    options.turnId === undefined
      ? await tx`
          SELECT events.seq, events.turn_id, events.json, turns.message_id
          FROM events LEFT JOIN turns ON turns.id = events.turn_id
          WHERE events.session_id = ${sessionId} AND events.seq > ${seq} ORDER BY events.seq LIMIT ${limit}`
      : await tx`
          SELECT events.seq, events.turn_id, events.json, turns.message_id
          FROM events LEFT JOIN turns ON turns.id = events.turn_id
          WHERE events.turn_id = ${options.turnId} AND events.session_id = ${sessionId} AND events.seq > ${seq}
          ORDER BY events.seq LIMIT ${limit}`;
  return every(StoredEvent, rows);
}
