import * as v from "valibot";
import { every, first, int } from "./columns.ts";
import { remove } from "./sessions.ts";
import type { Tx } from "./tx.ts";

/** How many records of a session were deleted. */
export interface Erased {
  readonly messages: number;
  readonly turns: number;
  readonly events: number;
  readonly branches: number;
}

export const nothingErased: Erased = { messages: 0, turns: 0, events: 0, branches: 0 };

/**
 * Marks a session as being deleted: from here on nobody finds it and none of its name can be opened, until
 * `eraseSome` has taken all of it. False when there is none, or when it was used at `unusedSince` or later.
 */
export async function beginErase(
  tx: Tx,
  id: string,
  unusedSince = Number.MAX_SAFE_INTEGER,
): Promise<boolean> {
  const marked = await tx`
    UPDATE sessions SET deleting = 1
    WHERE id = ${id} AND deleting = 0 AND updated_at < ${unusedSince} RETURNING id`;
  return marked.length > 0;
}

/** Takes the mark away again, in the write that set it. */
export async function spare(tx: Tx, id: string): Promise<void> {
  await tx`UPDATE sessions SET deleting = 0 WHERE id = ${id}`;
}

/** Deletes at most `most` records of each kind of a marked session, and the session behind the last of them: then it is `over`. */
export async function eraseSome(tx: Tx, id: string, most: number): Promise<Erased & { over: boolean }> {
  const events = await tx`
    DELETE FROM events WHERE session_id = ${id}
      AND seq IN (SELECT seq FROM events WHERE session_id = ${id} ORDER BY seq LIMIT ${most})
    RETURNING seq`;
  const messages = await tx`
    DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE session_id = ${id} LIMIT ${most}) RETURNING id`;
  const branches = await tx`
    DELETE FROM branches WHERE session_id = ${id}
      AND name IN (SELECT name FROM branches WHERE session_id = ${id} ORDER BY name LIMIT ${most})
    RETURNING name`;
  await tx`
    DELETE FROM approvals
    WHERE turn_id IN (SELECT id FROM turns WHERE session_id = ${id} ORDER BY seq LIMIT ${most})`;
  // What still waits to be sent was said before, and is.
  await tx`
    DELETE FROM outbox
    WHERE ended_at IS NOT NULL
      AND turn_id IN (SELECT id FROM turns WHERE session_id = ${id} ORDER BY seq LIMIT ${most})`;
  const turns = await tx`
    DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE session_id = ${id} ORDER BY seq LIMIT ${most})
    RETURNING id`;
  const over = [events, messages, branches, turns].every((deleted) => deleted.length < most);
  if (over) await remove(tx, id);
  return {
    messages: messages.length,
    turns: turns.length,
    events: events.length,
    branches: branches.length,
    over,
  };
}

const Id = v.pipe(
  v.object({ id: v.string() }),
  v.transform((row) => row.id),
);

/** Sessions that a process began to delete and did not finish. */
export async function halfErased(tx: Tx, limit: number): Promise<string[]> {
  return every(Id, await tx`SELECT id FROM sessions WHERE deleting = 1 ORDER BY id LIMIT ${limit}`);
}

/** Sessions that were not used since `before`, oldest first, but for those with a turn that has not ended. */
export async function idleSessions(tx: Tx, before: number, limit: number): Promise<string[]> {
  const rows = await tx`
    SELECT id FROM sessions
    WHERE deleting = 0 AND updated_at < ${before}
      AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.session_id = sessions.id AND turns.ended_at IS NULL)
    ORDER BY updated_at, id LIMIT ${limit}`;
  return every(Id, rows);
}

const OldestEvent = v.pipe(
  v.object({ session_id: v.string(), seq: int, created_at: int }),
  v.transform((row) => ({ sessionId: row.session_id, seq: row.seq, createdAt: row.created_at })),
);
export type OldestEvent = v.InferOutput<typeof OldestEvent>;

/** The oldest event of the first session behind `after` (in the order of their ids) that has any. */
export async function nextLogged(tx: Tx, after: string): Promise<OldestEvent | undefined> {
  const rows = await tx`
    SELECT session_id, seq, created_at FROM events WHERE session_id > ${after} ORDER BY session_id, seq LIMIT 1`;
  return first(OldestEvent, rows);
}

/** Deletes events of a session that are older than `before`, at most `most`, while no turn of it runs or waits. Returns how many. */
export async function eraseEvents(tx: Tx, sessionId: string, before: number, most: number): Promise<number> {
  const deleted = await tx`
    DELETE FROM events
    WHERE session_id = ${sessionId}
      AND seq IN (
        SELECT seq FROM (
          SELECT seq, created_at FROM events WHERE session_id = ${sessionId} ORDER BY seq LIMIT ${most}
        ) AS oldest WHERE created_at < ${before}
      )
      AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.session_id = ${sessionId} AND turns.ended_at IS NULL)
    RETURNING seq`;
  return deleted.length;
}
