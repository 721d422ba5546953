import * as v from "valibot";
import { AppError } from "../errors.ts";
import { findPlace, type Place } from "./branches.ts";
import { first, int, maybeInt } from "./columns.ts";
import { messages, type Entry } from "./entries.ts";
import { pageSize } from "./page.ts";
import type { Session } from "./sessions.ts";
import type { Tx } from "./tx.ts";

/** A stretch of a path: its newest entries, oldest first. */
export interface Stretch {
  readonly entries: readonly Entry[];
  /** How many of the stretch come before those. */
  readonly more: number;
}

/** What one side has that the other has not. */
export interface Side extends Stretch {
  /** Where it ends. */
  readonly place: Place;
  /** Calls of tools that have a result. */
  readonly toolCalls: number;
  /** Of the turns that wrote it, each counted whole. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** How long these turns ran together, waiting for people included. */
  readonly durationMs: number;
  /** When its first and its last entry were written; absent when it has none. */
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface Comparison {
  /** What both have; its last entry is where they part. */
  readonly stem: Stretch;
  readonly left: Side;
  readonly right: Side;
}

/** Entries that may differ, both sides together: what one statement walks while nothing else is served. */
export const mostCompared = 50_000;

/**
 * Two places of a session side by side. What it costs goes by what differs, not by the length of the history. Of each
 * stretch at most `limit` entries are told; `messages` reads on from any of them.
 */
export async function compare(
  tx: Tx,
  session: Session,
  of: { left: string; right: string; limit: number },
): Promise<Comparison> {
  const left = await findPlace(tx, session, of.left);
  const right = await findPlace(tx, session, of.right);
  const fork = await findFork(tx, left, right);
  const limit = pageSize(of.limit);
  return {
    stem: await stretch(tx, session.id, fork, 0, limit),
    left: await side(tx, session.id, left, fork.depth, limit),
    right: await side(tx, session.id, right, fork.depth, limit),
  };
}

const Step = v.object({ id: v.string(), depth: int, same: int });

/** The last entry that is on both paths; the root when none is. */
async function findFork(tx: Tx, left: Place, right: Place): Promise<Place> {
  if (left.entryId === undefined || right.entryId === undefined) return { depth: 0 };
  // The deeper side goes back first; from there on both do, until they meet or there is no parent.
  const walked = await tx`
    WITH RECURSIVE back (left_id, left_parent, left_depth, right_id, right_parent, right_depth, walked) AS (
      SELECT l.id, l.parent_id, l.depth, r.id, r.parent_id, r.depth, CAST(0 AS BIGINT)
      FROM entries AS l CROSS JOIN entries AS r WHERE l.id = ${left.entryId} AND r.id = ${right.entryId}
      UNION ALL
      SELECT l.id, l.parent_id, l.depth, r.id, r.parent_id, r.depth, back.walked + 1
      FROM back
        JOIN entries AS l ON l.id = CASE WHEN left_depth >= right_depth THEN left_parent ELSE left_id END
        JOIN entries AS r ON r.id = CASE WHEN right_depth >= left_depth THEN right_parent ELSE right_id END
      WHERE left_id <> right_id AND back.walked < ${mostCompared}
    )
    SELECT left_id AS id, left_depth AS depth, CASE WHEN left_id = right_id THEN 1 ELSE 0 END AS same
    FROM back WHERE left_id = right_id OR walked = ${mostCompared}`;
  const last = first(Step, walked);
  if (last === undefined) return { depth: 0 };
  if (last.same === 1) return { entryId: last.id, depth: last.depth };
  throw new AppError(
    "payload_too_large",
    `These two differ by more than ${mostCompared} messages: read them one after the other with sessions.history.`,
  );
}

/** The newest entries of the path to `end` that are deeper than `above`. */
async function stretch(
  tx: Tx,
  sessionId: string,
  end: Place,
  above: number,
  limit: number,
): Promise<Stretch> {
  const length = end.depth - above;
  if (length === 0 || end.entryId === undefined) return { entries: [], more: 0 };
  const page = await messages(tx, sessionId, { cursor: end.entryId, limit: Math.min(limit, length) });
  return { entries: page.items, more: length - page.items.length };
}

const Totals = v.object({ tool_calls: int, started_at: maybeInt, ended_at: maybeInt });
const Spent = v.object({ input_tokens: int, output_tokens: int, duration_ms: int });

async function side(tx: Tx, sessionId: string, place: Place, above: number, limit: number): Promise<Side> {
  const entryId = place.entryId ?? "";
  const totals = await tx`
    WITH RECURSIVE back (id, parent_id, role, created_at) AS (
      SELECT id, parent_id, role, created_at FROM entries WHERE id = ${entryId} AND depth > ${above}
      UNION ALL
      SELECT entries.id, entries.parent_id, entries.role, entries.created_at
      FROM back JOIN entries ON entries.id = back.parent_id WHERE entries.depth > ${above}
    )
    SELECT CAST(COALESCE(SUM(CASE WHEN role = 'tool' THEN 1 ELSE 0 END), 0) AS BIGINT) AS tool_calls,
      MIN(created_at) AS started_at, MAX(created_at) AS ended_at
    FROM back`;
  const spent = await tx`
    WITH RECURSIVE back (id, parent_id, turn_id) AS (
      SELECT id, parent_id, turn_id FROM entries WHERE id = ${entryId} AND depth > ${above}
      UNION ALL
      SELECT entries.id, entries.parent_id, entries.turn_id
      FROM back JOIN entries ON entries.id = back.parent_id WHERE entries.depth > ${above}
    )
    SELECT CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
      CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
      CAST(COALESCE(SUM(ended_at - started_at), 0) AS BIGINT) AS duration_ms
    FROM turns WHERE id IN (SELECT turn_id FROM back)`;
  const { tool_calls: toolCalls = 0, started_at: startedAt, ended_at: endedAt } = first(Totals, totals) ?? {};
  const {
    input_tokens: inputTokens = 0,
    output_tokens: outputTokens = 0,
    duration_ms: durationMs = 0,
  } = first(Spent, spent) ?? {};
  return {
    ...(await stretch(tx, sessionId, place, above, limit)),
    place,
    toolCalls,
    inputTokens,
    outputTokens,
    durationMs,
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
  };
}
