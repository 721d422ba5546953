import type { ApprovalRule } from "../store/approval-rules.ts";
import type { Approval } from "../store/approvals.ts";
import type { AuditEvent } from "../store/audit.ts";
import type { Principal } from "./turn.ts";

/** What the audit trail is told of a question; `principal` is who acted. */
export const about = (
  { id, sessionId, turnId, callId, toolName, argumentsJson }: Approval,
  principal: string,
  outcome: string,
  detail: Readonly<Record<string, unknown>>,
): AuditEvent => ({
  kind: "approval",
  principal,
  turnId,
  callId,
  tool: toolName,
  outcome,
  ...(sessionId !== undefined && { sessionId }),
  // The arguments last: they are what may be cut.
  detail: { approval: id, ...detail, arguments: argumentsJson },
});

/** What the audit trail is told when a decision that reached further ends. */
export const revoked = (
  { id, toolName, sessionId, principal, pattern }: ApprovalRule,
  by: Principal,
): AuditEvent => ({
  kind: "approval",
  principal: by.name,
  tool: toolName,
  outcome: "revoked",
  ...(sessionId !== undefined && { sessionId }),
  detail: { rule: id, for: principal, pattern },
});
