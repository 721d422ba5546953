import * as v from "valibot";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import type { Tx } from "./tx.ts";

export const approvalStates = ["pending", "approved", "denied", "expired"] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** One question to a person; a row, so that it outlives the process. Times in milliseconds since 1970. */
export interface Approval {
  readonly id: string;
  readonly turnId: string;
  readonly sessionId?: string;
  readonly callId: string;
  readonly toolName: string;
  readonly argumentsJson: string;
  readonly argumentsPreview: string;
  /** What a decision beyond this call would be about, as `callPattern` tells it; absent: it can only be decided once. */
  readonly pattern?: string;
  /** The rule that asked. */
  readonly reason: string;
  /** Name of the principal that may decide (beside the operator). */
  readonly requester: string;
  readonly state: ApprovalState;
  readonly note?: string;
  readonly askedAt: number;
  readonly expiresAt: number;
  /** When its call began to run: from then on nobody knows without its result how far it came. */
  readonly startedAt?: number;
}

const ApprovalRow = v.pipe(
  v.object({
    id: v.string(),
    turn_id: v.string(),
    session_id: maybeText,
    call_id: v.string(),
    tool_name: v.string(),
    requester: v.string(),
    state: v.picklist(approvalStates),
    asked_at: int,
    expires_at: int,
    reason: v.string(),
    note: maybeText,
    arguments_preview: v.string(),
    arguments_json: v.string(),
    pattern: maybeText,
    started_at: maybeInt,
  }),
  v.transform((row): Approval => ({
    id: row.id,
    turnId: row.turn_id,
    sessionId: row.session_id,
    callId: row.call_id,
    toolName: row.tool_name,
    argumentsJson: row.arguments_json,
    argumentsPreview: row.arguments_preview,
    ...(row.pattern !== undefined && { pattern: row.pattern }),
    reason: row.reason,
    requester: row.requester,
    state: row.state,
    note: row.note,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    ...(row.started_at !== undefined && { startedAt: row.started_at }),
  })),
);

export async function insert(tx: Tx, approval: Approval): Promise<void> {
  await tx`
    INSERT INTO approvals (id, turn_id, session_id, call_id, tool_name, requester, state, asked_at, expires_at, reason,
      note, arguments_preview, arguments_json, pattern)
    VALUES (${approval.id}, ${approval.turnId}, ${approval.sessionId ?? null}, ${approval.callId},
      ${approval.toolName}, ${approval.requester}, ${approval.state}, ${approval.askedAt}, ${approval.expiresAt},
      ${approval.reason}, ${approval.note ?? null}, ${approval.argumentsPreview}, ${approval.argumentsJson},
      ${approval.pattern ?? null})`;
}

export async function find(tx: Tx, id: string): Promise<Approval | undefined> {
  return first(ApprovalRow, await tx`SELECT * FROM approvals WHERE id = ${id}`);
}

/** Decides once: false when it was decided before, or when its time is over, after which it can only be `expired`. */
export async function decide(
  tx: Tx,
  id: string,
  state: Exclude<ApprovalState, "pending">,
  note: string | undefined,
  now: number,
): Promise<boolean> {
  const openAfter = state === "expired" ? 0 : now;
  const decided = await tx`
    UPDATE approvals SET state = ${state}, note = ${note ?? null}, decided_at = ${now}
    WHERE id = ${id} AND state = 'pending' AND expires_at > ${openAfter} RETURNING id`;
  return decided.length > 0;
}

/** Denies the questions of a turn that are still open; returns them. */
export async function denyOpen(tx: Tx, turnId: string, now: number): Promise<Approval[]> {
  const denied = await tx`
    UPDATE approvals SET state = 'denied', decided_at = ${now}
    WHERE turn_id = ${turnId} AND state = 'pending' AND expires_at > ${now} RETURNING *`;
  return every(ApprovalRow, denied);
}

/** Says that the call of an approved question begins; false when it had begun before, or was not approved. */
export async function start(tx: Tx, id: string, now: number): Promise<boolean> {
  const started = await tx`
    UPDATE approvals SET started_at = ${now}
    WHERE id = ${id} AND state = 'approved' AND started_at IS NULL RETURNING id`;
  return started.length > 0;
}

/** The open questions whose time ends behind `endsAfter`, or those of them that one requester may decide, oldest first. */
export async function pending(
  tx: Tx,
  { requester, endsAfter = 0 }: { readonly requester?: string; readonly endsAfter?: number } = {},
): Promise<Approval[]> {
  const rows =
    requester === undefined
      ? await tx`
          SELECT * FROM approvals WHERE state = 'pending' AND expires_at > ${endsAfter} ORDER BY asked_at, id`
      : await tx`
          SELECT * FROM approvals
          WHERE state = 'pending' AND expires_at > ${endsAfter} AND requester = ${requester}
          ORDER BY asked_at, id`;
  return every(ApprovalRow, rows);
}

const Count = v.object({ count: int });

/** Open questions whose time is not over. */
export async function countPending(tx: Tx, now: number): Promise<number> {
  const rows = await tx`
    SELECT count(*) AS count FROM approvals WHERE state = 'pending' AND expires_at > ${now}`;
  return first(Count, rows)?.count ?? 0;
}

/** The newest question about a tool call. */
export async function byCall(tx: Tx, turnId: string, callId: string): Promise<Approval | undefined> {
  const rows = await tx`
    SELECT * FROM approvals WHERE turn_id = ${turnId} AND call_id = ${callId} ORDER BY asked_at DESC, id DESC LIMIT 1`;
  return first(ApprovalRow, rows);
}

/** Deletes at most `most` questions of turns that were not kept, whose time was over before; returns how many. */
export async function removeUnkept(tx: Tx, before: number, most: number): Promise<number> {
  const removed = await tx`
    DELETE FROM approvals WHERE id IN (
      SELECT id FROM approvals
      WHERE session_id IS NULL AND expires_at < ${before}
        AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.id = approvals.turn_id)
      ORDER BY expires_at LIMIT ${most}
    ) RETURNING id`;
  return removed.length;
}
