import * as v from "valibot";
import { AppError } from "../errors.ts";
import { Role, type Message } from "../llm/message.ts";
import { weightOf } from "../llm/pictures.ts";
import { every, first, int, maybeText } from "./columns.ts";
import { badCursor, pageSize, type Page, type PageOptions } from "./page.ts";
import { titleOf } from "./title.ts";
import type { Tx } from "./tx.ts";

/** One message of a session. Never changed: a session is a pointer to its leaf, and the parents lead back from there. */
export interface Entry {
  readonly id: string;
  /** Absent for the first of a conversation. */
  readonly parentId?: string;
  readonly sessionId: string;
  readonly turnId?: string;
  /** Its place on the path from the root, from 1. */
  readonly depth: number;
  /** What a person said first on the path to it, itself included. */
  readonly firstUserId?: string;
  /** Only in a summary: it stands for all that comes before this entry, which has the same parent. */
  readonly keptFrom?: string;
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
    depth: int,
    first_user_id: maybeText,
    kept_from: maybeText,
    role: Role,
    call_ids: v.string(),
    message: v.string(),
    meta: maybeText,
    created_at: int,
  }),
  v.transform((row): Entry => ({
    id: row.id,
    parentId: row.parent_id,
    sessionId: row.session_id,
    turnId: row.turn_id,
    depth: row.depth,
    firstUserId: row.first_user_id,
    keptFrom: row.kept_from,
    message: {
      role: row.role,
      json: row.message,
      callIds: row.call_ids === "" ? [] : v.parse(CallIds, JSON.parse(row.call_ids)),
      ...(row.meta !== undefined && { meta: row.meta }),
    },
    createdAt: row.created_at,
  })),
);

const Titled = v.object({ title: maybeText });

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
  const bytes = weightOf(message);
  const written = await tx`
    INSERT INTO entries (id, parent_id, session_id, turn_id, depth, first_user_id, role, bytes, created_at, call_ids,
      message, meta)
    SELECT ${id}, leaf.id, sessions.id, ${turnId ?? null}, COALESCE(leaf.depth, 0) + 1,
      COALESCE(leaf.first_user_id, ${message.role === "user" ? id : null}), ${message.role},
      ${bytes}, ${now}, ${callIds}, ${message.json}, ${message.meta ?? null}
    FROM sessions LEFT JOIN entries AS leaf ON leaf.id = sessions.leaf_id WHERE sessions.id = ${sessionId}
    RETURNING id`;
  if (written.length === 0)
    throw new AppError("not_found", `Cannot store a message: there is no session ${sessionId}.`);
  const session = await tx`
    UPDATE sessions SET leaf_id = ${id}, updated_at = ${now} WHERE id = ${sessionId} RETURNING title`;
  const untitled = message.role === "user" && first(Titled, session)?.title === undefined;
  const title = untitled ? titleOf(message) : undefined;
  if (title !== undefined) await tx`UPDATE sessions SET title = ${title} WHERE id = ${sessionId}`;
  return id;
}

/**
 * Puts in a summary of all that comes before an entry. No pointer moves: where a path leads through `keptFrom`, the
 * summary is read instead of what is behind it; who walks the parents finds everything as it was. Undefined when there
 * is nothing before the entry, or a summary already.
 */
export async function summarise(
  tx: Tx,
  of: { sessionId: string; turnId: string; keptFrom: string; message: Message; now: number },
): Promise<string | undefined> {
  const { sessionId, turnId, keptFrom, message, now } = of;
  const id = Bun.randomUUIDv7();
  const written = await tx`
    INSERT INTO entries (id, parent_id, session_id, turn_id, depth, first_user_id, kept_from, role, bytes, created_at,
      call_ids, message)
    SELECT ${id}, parent_id, session_id, ${turnId}, depth, first_user_id, id, ${message.role},
      ${Buffer.byteLength(message.json)}, ${now}, '', ${message.json}
    FROM entries WHERE id = ${keptFrom} AND session_id = ${sessionId} AND parent_id IS NOT NULL AND kept_from IS NULL
    ON CONFLICT (kept_from) WHERE kept_from IS NOT NULL DO NOTHING RETURNING id`;
  return written.length === 0 ? undefined : id;
}

/** The last thing that the model said in a turn. */
export async function lastAnswer(tx: Tx, sessionId: string, turnId: string): Promise<Message | undefined> {
  const rows = await tx`
    SELECT * FROM entries
    WHERE session_id = ${sessionId} AND turn_id = ${turnId} AND role = 'assistant' ORDER BY id DESC LIMIT 1`;
  return first(EntryRow, rows)?.message;
}

const Count = v.object({ count: int });

/** How many answers of the model are stored of a turn. */
export async function countAnswers(tx: Tx, sessionId: string, turnId: string): Promise<number> {
  const rows = await tx`
    SELECT count(*) AS count FROM entries
    WHERE session_id = ${sessionId} AND turn_id = ${turnId} AND role = 'assistant' AND kept_from IS NULL`;
  return first(Count, rows)?.count ?? 0;
}

export async function entry(tx: Tx, id: string): Promise<Entry | undefined> {
  return first(EntryRow, await tx`SELECT * FROM entries WHERE id = ${id}`);
}

/**
 * What a model is sent of the path that ends at `leafId`, oldest first: the newest entries that have `maxBytes`
 * together, and at least one; where a summary stands on the way, it is the first. What it costs goes by that window and
 * not by the length of the history.
 */
export async function path(tx: Tx, leafId: string, maxBytes: number): Promise<Entry[]> {
  const rows = await tx`
    WITH RECURSIVE back (id, parent_id, kept_from, total, depth) AS (
      SELECT id, parent_id, kept_from, bytes, CAST(1 AS BIGINT) FROM entries WHERE id = ${leafId}
      UNION ALL
      SELECT older.id, older.parent_id, older.kept_from, back.total + older.bytes, back.depth + 1
      FROM back JOIN entries AS older ON older.id = COALESCE(
        (SELECT summary.id FROM entries AS summary WHERE summary.kept_from = back.id), back.parent_id)
      WHERE back.kept_from IS NULL AND back.total + older.bytes <= ${maxBytes}
    )
    SELECT entries.* FROM back JOIN entries ON entries.id = back.id ORDER BY back.depth DESC`;
  return every(EntryRow, rows);
}

/**
 * The newest originals of the path that ends at `leafId`, oldest first, and at least one. Counted as they are written:
 * `bytes` is what a model reads of them, which of a picture is far less.
 */
async function walk(tx: Tx, leafId: string, maxCharacters: number, maxEntries: number): Promise<Entry[]> {
  const rows = await tx`
    WITH RECURSIVE back (id, parent_id, total, depth) AS (
      SELECT id, parent_id, CAST(length(message) AS BIGINT), CAST(1 AS BIGINT) FROM entries WHERE id = ${leafId}
      UNION ALL
      SELECT entries.id, entries.parent_id, back.total + length(entries.message), back.depth + 1
      FROM back JOIN entries ON entries.id = back.parent_id
      WHERE back.total + length(entries.message) <= ${maxCharacters} AND back.depth < ${maxEntries}
    )
    SELECT entries.* FROM back JOIN entries ON entries.id = back.id ORDER BY back.depth DESC`;
  return every(EntryRow, rows);
}

const pageCharacters = 4 * 1024 * 1024;

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
  const items = await walk(tx, from, pageCharacters, pageSize(limit));
  // A cursor of another session must not open it.
  if (items.some((item) => item.sessionId !== sessionId) || (cursor !== undefined && items.length === 0))
    throw badCursor();
  const next = items[0]?.parentId;
  return next === undefined ? { items } : { items, next };
}

const Leaf = v.object({ leaf_id: maybeText });
