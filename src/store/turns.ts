import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { Usage } from "../llm/message.ts";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

export const unfinishedStates = ["queued", "running", "waiting_approval", "interrupted"] as const;
export const endStates = ["done", "failed", "cancelled"] as const;
export type UnfinishedState = (typeof unfinishedStates)[number];
export type EndState = (typeof endStates)[number];
export type TurnState = UnfinishedState | EndState;

/** What a turn is accepted with. */
export interface NewTurnRow {
  readonly id: string;
  readonly sessionId: string;
  readonly principal: string;
  readonly scope: "operator" | "chat";
  readonly channel: string;
  readonly text: string;
  /** JSON of what the message holds besides: content parts, results of the client's tools. */
  readonly input?: string;
  /** JSON of what was asked for beside the text. */
  readonly request: string;
  /** The client's own id of the message, once in a session. */
  readonly messageId?: string;
  /** JSON of where its answer is sent. */
  readonly delivery?: string;
  /** The process that runs it. */
  readonly owner: string;
  readonly createdAt: number;
}

export interface TurnRow extends NewTurnRow {
  /** Its place among the turns of the session, from 1. */
  readonly seq: number;
  readonly state: TurnState;
  readonly fence: number;
  /** Somebody wants it to end. */
  readonly cancelAsked: boolean;
  readonly userEntryId?: string;
  /** Where the session stood before it. */
  readonly baseLeafId?: string;
  /** The session's newest event when it was accepted: its own follow. */
  readonly firstEvent: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  /** What it took, its delegates included; 0 until it has ended. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export const StoredTurn = v.pipe(
  v.object({
    id: v.string(),
    session_id: v.string(),
    seq: int,
    principal: v.string(),
    scope: v.picklist(["operator", "chat"]),
    channel: v.string(),
    message_id: maybeText,
    state: v.picklist([...unfinishedStates, ...endStates]),
    owner: v.string(),
    fence: int,
    cancel_asked: int,
    user_entry_id: maybeText,
    base_leaf_id: maybeText,
    first_event: int,
    error_code: maybeText,
    error_message: maybeText,
    input_tokens: int,
    output_tokens: int,
    created_at: int,
    started_at: maybeInt,
    ended_at: maybeInt,
    text: v.string(),
    input: maybeText,
    request: v.string(),
    delivery: maybeText,
  }),
  v.transform((row): TurnRow => ({
    id: row.id,
    sessionId: row.session_id,
    seq: row.seq,
    principal: row.principal,
    scope: row.scope,
    channel: row.channel,
    messageId: row.message_id,
    state: row.state,
    owner: row.owner,
    fence: row.fence,
    cancelAsked: row.cancel_asked !== 0,
    userEntryId: row.user_entry_id,
    baseLeafId: row.base_leaf_id,
    firstEvent: row.first_event,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    text: row.text,
    input: row.input,
    request: row.request,
    ...(row.delivery !== undefined && { delivery: row.delivery }),
  })),
);

export const Id = v.object({ id: v.string() });
const Counters = v.object({ last_turn: int, last_event: int });

/** Queues a turn behind the others of its session, which counts as used. Throws `not_found` without the session. */
export async function insert(tx: Tx, turn: NewTurnRow): Promise<TurnRow> {
  const counters = first(
    Counters,
    await tx`
      UPDATE sessions SET last_turn = last_turn + 1, updated_at = ${turn.createdAt}
      WHERE id = ${turn.sessionId} AND deleting = 0 RETURNING last_turn, last_event`,
  );
  if (counters === undefined)
    throw new AppError("not_found", `Cannot accept a message: there is no session ${turn.sessionId}.`);
  const { last_turn: seq, last_event: firstEvent } = counters;
  await tx`
    INSERT INTO turns (id, session_id, seq, principal, scope, channel, message_id, state, owner, fence, cancel_asked, first_event, input_tokens,
      output_tokens, created_at, text, input, request, delivery)
    VALUES (${turn.id}, ${turn.sessionId}, ${seq}, ${turn.principal}, ${turn.scope}, ${turn.channel},
      ${turn.messageId ?? null}, 'queued', ${turn.owner}, 1, 0, ${firstEvent}, 0, 0, ${turn.createdAt}, ${turn.text},
      ${turn.input ?? null}, ${turn.request}, ${turn.delivery ?? null})`;
  return {
    ...turn,
    seq,
    state: "queued",
    fence: 1,
    cancelAsked: false,
    firstEvent,
    inputTokens: 0,
    outputTokens: 0,
  };
}

export async function find(tx: Tx, id: string): Promise<TurnRow | undefined> {
  return first(StoredTurn, await tx`SELECT * FROM turns WHERE id = ${id}`);
}

/** The turn that opened a session. */
export async function findFirst(tx: Tx, sessionId: string): Promise<TurnRow | undefined> {
  return first(StoredTurn, await tx`SELECT * FROM turns WHERE session_id = ${sessionId} AND seq = 1`);
}

/** The turn that a message of this id has begun. */
export async function findByMessage(
  tx: Tx,
  sessionId: string,
  messageId: string,
): Promise<TurnRow | undefined> {
  return first(
    StoredTurn,
    await tx`SELECT * FROM turns WHERE session_id = ${sessionId} AND message_id = ${messageId}`,
  );
}

/** Notes that a turn runs, since when, and where in the tree it began. False when it has ended. */
export async function start(
  tx: Tx,
  id: string,
  at: { userEntryId?: string; baseLeafId?: string; now: number },
): Promise<boolean> {
  const started = await tx`
    UPDATE turns SET state = 'running', user_entry_id = ${at.userEntryId ?? null},
      base_leaf_id = ${at.baseLeafId ?? null}, started_at = COALESCE(started_at, ${at.now})
    WHERE id = ${id} AND ended_at IS NULL RETURNING id`;
  return started.length > 0;
}

/** Changes the state of a turn that has not ended; false when it has. */
export async function setState(tx: Tx, id: string, state: UnfinishedState): Promise<boolean> {
  const changed = await tx`
    UPDATE turns SET state = ${state}
    WHERE id = ${id} AND ended_at IS NULL RETURNING id`;
  return changed.length > 0;
}

export interface TurnEnd {
  readonly state: EndState;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly usage: Pick<Usage, "inputTokens" | "outputTokens">;
  readonly now: number;
}

/** Ends a turn. The first end counts: false when it had ended before. */
export async function finish(tx: Tx, id: string, end: TurnEnd): Promise<boolean> {
  const ended = await tx`
    UPDATE turns SET state = ${end.state}, error_code = ${end.errorCode ?? null},
      error_message = ${end.errorMessage ?? null}, input_tokens = ${end.usage.inputTokens},
      output_tokens = ${end.usage.outputTokens}, ended_at = ${end.now}
    WHERE id = ${id} AND ended_at IS NULL RETURNING id`;
  return ended.length > 0;
}

/** Takes the start of a turn back, so that it is not counted as begun. */
export async function unstart(tx: Tx, id: string): Promise<void> {
  await tx`UPDATE turns SET started_at = NULL WHERE id = ${id}`;
}

/** Frees the id of the message that began a turn for another one. */
export async function forgetMessage(tx: Tx, id: string): Promise<void> {
  await tx`UPDATE turns SET message_id = NULL WHERE id = ${id}`;
}

/** All turns that have not ended, in order of arrival; within a session also when the clock was set back meanwhile. */
export async function unfinished(tx: Tx): Promise<TurnRow[]> {
  const rows = await tx`
    SELECT * FROM turns WHERE ended_at IS NULL
    ORDER BY MAX(created_at) OVER (PARTITION BY session_id ORDER BY seq), session_id, seq`;
  return every(StoredTurn, rows);
}

/** True when an earlier turn of the session has not ended. */
export async function hasEarlier(tx: Tx, sessionId: string, seq: number): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM turns
    WHERE session_id = ${sessionId} AND seq < ${seq} AND ended_at IS NULL LIMIT 1`;
  return rows.length > 0;
}

/** The turn of a session that runs, or else waits first. */
export async function firstUnfinished(tx: Tx, sessionId: string): Promise<string | undefined> {
  const rows = await tx`
    SELECT id FROM turns WHERE session_id = ${sessionId} AND ended_at IS NULL ORDER BY seq LIMIT 1`;
  return first(Id, rows)?.id;
}

export async function hasUnfinished(tx: Tx, sessionId: string): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM turns
    WHERE session_id = ${sessionId} AND ended_at IS NULL LIMIT 1`;
  return rows.length > 0;
}

const Begun = v.object({ count: int, first_at: maybeInt });

/** How many turns of a session began after `since`, and when the first of them did (0 when none). */
export async function startedSince(
  tx: Tx,
  sessionId: string,
  since: number,
): Promise<{ count: number; firstAt: number }> {
  const begun = first(
    Begun,
    await tx`
      SELECT count(*) AS count, MIN(started_at) AS first_at FROM turns
      WHERE session_id = ${sessionId} AND started_at > ${since}`,
  );
  return { count: begun?.count ?? 0, firstAt: begun?.first_at ?? 0 };
}

const Place = v.tuple([int]);

/** The turns of a session, newest first. */
export async function list(
  tx: Tx,
  sessionId: string,
  { cursor, limit }: PageOptions,
): Promise<Page<TurnRow>> {
  const size = pageSize(limit);
  const [before] = cursor === undefined ? [Number.MAX_SAFE_INTEGER] : readCursor(Place, cursor);
  const rows = await tx`
    SELECT * FROM turns WHERE session_id = ${sessionId} AND seq < ${before} ORDER BY seq DESC LIMIT ${size + 1}`;
  return toPage(every(StoredTurn, rows), size, (last) => [last.seq]);
}
