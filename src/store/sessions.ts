import * as v from "valibot";
import { AppError } from "../errors.ts";
import { every, first, int, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";
import { forgetSession } from "./usage.ts";

export { append, entry, messages, path, summarise, type Entry } from "./entries.ts";

/** A conversation: who it belongs to, and a pointer to the entry that it stands at. Times in milliseconds since 1970. */
export interface Session {
  readonly id: string;
  /** Name of the principal that opened it. */
  readonly owner: string;
  readonly channel: string;
  /** The model that was chosen for it, if any. */
  readonly model?: string;
  /** The beginning of what was said first in it. */
  readonly title?: string;
  /** Absent while it holds nothing, and after a reset. */
  readonly leafId?: string;
  /** Number of the newest event in its log; 0 before the first. */
  readonly lastEvent: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const SessionRow = v.pipe(
  v.object({
    id: v.string(),
    owner: v.string(),
    channel: v.string(),
    model: maybeText,
    title: maybeText,
    leaf_id: maybeText,
    last_event: int,
    created_at: int,
    updated_at: int,
  }),
  v.transform((row): Session => ({
    id: row.id,
    owner: row.owner,
    channel: row.channel,
    model: row.model,
    title: row.title,
    leafId: row.leaf_id,
    lastEvent: row.last_event,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  })),
);

export async function find(tx: Tx, id: string): Promise<Session | undefined> {
  return first(SessionRow, await tx`SELECT * FROM sessions WHERE id = ${id} AND deleting = 0`);
}

/** Finds a session, or makes it when there is none. It may belong to somebody else: the caller compares the owner. */
export async function open(
  tx: Tx,
  of: { id: string; owner: string; channel: string; now: number },
): Promise<Session> {
  const found = await find(tx, of.id);
  if (found !== undefined) return found;
  await tx`
    INSERT INTO sessions (id, owner, channel, last_turn, last_event, created_at, updated_at)
    VALUES (${of.id}, ${of.owner}, ${of.channel}, 0, 0, ${of.now}, ${of.now})
    ON CONFLICT (id) DO NOTHING`;
  const made = await find(tx, of.id);
  if (made !== undefined) return made;
  throw new AppError("conflict", `Session ${of.id} is being deleted: try again in a moment.`, {
    retryAfterMs: 1000,
  });
}

function existing<Found>(found: Found | undefined, id: string): Found {
  if (found !== undefined) return found;
  throw new AppError("not_found", `There is no session ${id}.`);
}

/** Reads a session and keeps everybody else, also in another process, from changing it before this write has ended. */
export async function hold(tx: Tx, id: string): Promise<Session> {
  // It changes nothing, and takes the lock of the row where there is more than one writer.
  const held =
    await tx`UPDATE sessions SET last_turn = last_turn WHERE id = ${id} AND deleting = 0 RETURNING *`;
  return existing(first(SessionRow, held), id);
}

/** Points a session at one of its entries, or at none. Throws `not_found` when it is not an entry of this session. */
export async function setLeaf(tx: Tx, id: string, leafId: string | null, now: number): Promise<void> {
  const changed =
    leafId === null
      ? await tx`UPDATE sessions SET leaf_id = NULL, updated_at = ${now} WHERE id = ${id} RETURNING id`
      : await tx`
          UPDATE sessions SET leaf_id = ${leafId}, updated_at = ${now}
          WHERE id = ${id} AND EXISTS (SELECT 1 FROM entries WHERE entries.id = ${leafId} AND session_id = ${id})
          RETURNING id`;
  if (changed.length === 0)
    throw new AppError(
      "not_found",
      `Cannot point session ${id} at ${leafId ?? "its beginning"}: there is no such thing.`,
    );
}

/** Chooses the model of a session; null is the default one. */
export async function setModel(tx: Tx, id: string, model: string | null, now: number): Promise<void> {
  const changed = await tx`
    UPDATE sessions SET model = ${model}, updated_at = ${now} WHERE id = ${id} RETURNING id`;
  existing(changed[0], id);
}

/** Notes that a session was used. */
export async function touch(tx: Tx, id: string, now: number): Promise<void> {
  existing((await tx`UPDATE sessions SET updated_at = ${now} WHERE id = ${id} RETURNING id`)[0], id);
}

const Place = v.tuple([int, v.string()]);

/** Sessions of one owner, or all, the one used last first. */
export async function list(
  tx: Tx,
  options: PageOptions & { readonly owner?: string },
): Promise<Page<Session>> {
  const { owner, cursor } = options;
  const size = pageSize(options.limit);
  const [time, id] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : readCursor(Place, cursor);
  const rows =
    owner === undefined
      ? await tx`
          SELECT * FROM sessions WHERE deleting = 0 AND (updated_at, id) < (${time}, ${id})
          ORDER BY updated_at DESC, id DESC LIMIT ${size + 1}`
      : await tx`
          SELECT * FROM sessions WHERE deleting = 0 AND owner = ${owner} AND (updated_at, id) < (${time}, ${id})
          ORDER BY updated_at DESC, id DESC LIMIT ${size + 1}`;
  return toPage(every(SessionRow, rows), size, (last) => [last.updatedAt, last.id]);
}

/** Deletes all of a session; what it spent stays counted. False when there is none. */
export async function remove(tx: Tx, id: string): Promise<boolean> {
  await tx`DELETE FROM approvals WHERE turn_id IN (SELECT id FROM turns WHERE session_id = ${id})`;
  await forgetSession(tx, id);
  // Entries, turns and events go with it.
  return (await tx`DELETE FROM sessions WHERE id = ${id} RETURNING id`).length > 0;
}
