import * as v from "valibot";
import { every, first, int, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import { find } from "./sessions.ts";
import type { Row, Tx } from "./tx.ts";

/** A decision that reaches beyond its call. Times in milliseconds since 1970. */
export interface ApprovalRule {
  readonly id: string;
  /** Whose calls: the name of the principal that was asked. */
  readonly principal: string;
  /** Only calls in this session; absent: in any, until it is revoked. */
  readonly sessionId?: string;
  readonly toolName: string;
  /** The pattern of the call as `callPattern` tells it, word for word. */
  readonly pattern: string;
  readonly approved: boolean;
  readonly note?: string;
  readonly decidedBy: string;
  readonly createdAt: number;
}

const RuleRow = v.pipe(
  v.object({
    id: v.string(),
    principal: v.string(),
    session_id: maybeText,
    tool_name: v.string(),
    approved: int,
    created_at: int,
    decided_by: v.string(),
    note: maybeText,
    pattern: v.string(),
  }),
  v.transform((row): ApprovalRule => ({
    id: row.id,
    principal: row.principal,
    ...(row.session_id !== undefined && { sessionId: row.session_id }),
    toolName: row.tool_name,
    pattern: row.pattern,
    approved: row.approved === 1,
    ...(row.note !== undefined && { note: row.note }),
    decidedBy: row.decided_by,
    createdAt: row.created_at,
  })),
);

/** Keeps a rule. One of a session that is gone, or is being deleted, is not kept. */
export async function insert(tx: Tx, rule: ApprovalRule): Promise<void> {
  if (rule.sessionId !== undefined && (await find(tx, rule.sessionId)) === undefined) return;
  await tx`
    INSERT INTO approval_rules (id, principal, session_id, tool_name, approved, created_at, decided_by, note, pattern)
    VALUES (${rule.id}, ${rule.principal}, ${rule.sessionId ?? null}, ${rule.toolName}, ${rule.approved ? 1 : 0},
      ${rule.createdAt}, ${rule.decidedBy}, ${rule.note ?? null}, ${rule.pattern})`;
}

/** The rule about a call, if any: one that refuses wins, then the oldest. */
export async function match(
  tx: Tx,
  call: Pick<ApprovalRule, "principal" | "sessionId" | "toolName" | "pattern">,
): Promise<ApprovalRule | undefined> {
  const rows = await tx`
    SELECT * FROM approval_rules
    WHERE principal = ${call.principal} AND tool_name = ${call.toolName} AND pattern = ${call.pattern}
      AND (session_id IS NULL OR session_id = ${call.sessionId ?? ""})
    ORDER BY approved, created_at, id LIMIT 1`;
  return first(RuleRow, rows);
}

const Place = v.tuple([int, v.string()]);

/** All rules, the newest first. */
export async function list(tx: Tx, { cursor, limit }: PageOptions): Promise<Page<ApprovalRule>> {
  const size = pageSize(limit);
  const [time, id] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : readCursor(Place, cursor);
  const rows: readonly Row[] = await tx`
    SELECT * FROM approval_rules WHERE (created_at, id) < (${time}, ${id})
    ORDER BY created_at DESC, id DESC LIMIT ${size + 1}`;
  return toPage(every(RuleRow, rows), size, (last) => [last.createdAt, last.id]);
}

/** Revokes a rule; returns it, or undefined when there is none. */
export async function remove(tx: Tx, id: string): Promise<ApprovalRule | undefined> {
  return first(RuleRow, await tx`DELETE FROM approval_rules WHERE id = ${id} RETURNING *`);
}

/** Ends what was allowed or refused for a session. */
export async function forgetSession(tx: Tx, sessionId: string): Promise<void> {
  await tx`DELETE FROM approval_rules WHERE session_id = ${sessionId}`;
}
