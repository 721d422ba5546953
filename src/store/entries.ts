import * as v from "valibot";
import { AppError } from "../errors.ts";
import { Role, type Message } from "../llm/message.ts";
import { every, first, int, maybeText } from "./columns.ts";
import { badCursor, pageSize, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

/** One message of a session. Never changed: a session is a pointer to its leaf, and the parents lead back from there. */
export interface Entry {
  readonly id: string;
  /** Absent for the first of a conversation. */
  readonly parentId?: string;
  readonly sessionId: string;
  readonly turnId?: string;
  readonly message: Message;
  readonly createdAt: number;
}

const CallIds = v.array(v.string());

const EntryRow = v.pipe(
  v.object({
    id: v.string(),
    parent_id: maybeText,
    session_id: v.string(),
    turn_id: maybeText,
    role: Role,
    call_ids: v.string(),
    message: v.string(),
    created_at: int,
  }),
  v.transform((row): Entry => ({
    id: row.id,
    parentId: row.parent_id,
    sessionId: row.session_id,
    turnId: row.turn_id,
    message: {
      role: row.role,
      json: row.message,
      callIds: row.call_ids === "" ? [] : v.parse(CallIds, JSON.parse(row.call_ids)),
    },
    createdAt: row.created_at,
  })),
);

/** Puts a message after the leaf of a session and makes it the leaf. Returns its id; throws `not_found` without the session. */
export async function append(
  tx: Tx,
  sessionId: string,
  turnId: string | undefined,
  message: Message,
  now: number,
): Promise<string> {
  const id = Bun.randomUUIDv7();
  const callIds = message.callIds.length === 0 ? "" : JSON.stringify(message.callIds);
  const written = await tx`
    INSERT INTO entries (id, parent_id, session_id, turn_id, role, bytes, created_at, call_ids, message)
    SELECT ${id}, leaf_id, id, ${turnId ?? null}, ${message.role}, ${Buffer.byteLength(message.json)}, ${now},
      ${callIds}, ${message.json}
    FROM sessions WHERE id = ${sessionId}
    RETURNING id`;
  if (written.length === 0)
    throw new AppError("not_found", `Cannot store a message: there is no session ${sessionId}.`);
  await tx`UPDATE sessions SET leaf_id = ${id}, updated_at = ${now} WHERE id = ${sessionId}`;
  return id;
}

export async function entry(tx: Tx, id: string): Promise<Entry | undefined> {
  return first(EntryRow, await tx`SELECT * FROM entries WHERE id = ${id}`);
}

/**
 * The newest entries of the path that ends at `leafId`, oldest first: as many as have `maxBytes` together, and at least
 * one. What it costs goes by that window and not by the length of the history.
 */
export const path = (tx: Tx, leafId: string, maxBytes: number): Promise<Entry[]> =>
  walk(tx, leafId, maxBytes, Number.MAX_SAFE_INTEGER);

async function walk(tx: Tx, leafId: string, maxBytes: number, maxEntries: number): Promise<Entry[]> {
  const rows = await tx`
    WITH RECURSIVE back (id, parent_id, total, depth) AS (
      SELECT id, parent_id, bytes, CAST(1 AS BIGINT) FROM entries WHERE id = ${leafId}
      UNION ALL
      SELECT entries.id, entries.parent_id, back.total + entries.bytes, back.depth + 1
      FROM back JOIN entries ON entries.id = back.parent_id
      WHERE back.total + entries.bytes <= ${maxBytes} AND back.depth < ${maxEntries}
    )
    SELECT entries.* FROM back JOIN entries ON entries.id = back.id ORDER BY back.depth DESC`;
  return every(EntryRow, rows);
}

const pageBytes = 4 * 1024 * 1024;

/**
 * A page of the current path, oldest first; the first page is the newest and each `next` leads further back. The cursor
 * is an entry of the session. A page ends early when its messages are very big.
 */
export async function messages(
  tx: Tx,
  sessionId: string,
  { cursor, limit }: PageOptions,
): Promise<Page<Entry>> {
  const from = cursor ?? first(Leaf, await tx`SELECT leaf_id FROM sessions WHERE id = ${sessionId}`)?.leaf_id;
  if (from === undefined) return { items: [] };
  const items = await walk(tx, from, pageBytes, pageSize(limit));
  // A cursor of another session must not open it.
  if (items.some((item) => item.sessionId !== sessionId) || (cursor !== undefined && items.length === 0))
    throw badCursor();
  const next = items[0]?.parentId;
  return next === undefined ? { items } : { items, next };
}

const Leaf = v.object({ leaf_id: maybeText });
