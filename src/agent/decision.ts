import { AppError } from "../errors.ts";
import { patternText } from "../sandbox/call-pattern.ts";
import type { ApprovalRule } from "../store/approval-rules.ts";
import type { Approval } from "../store/approvals.ts";
import type { Principal } from "./turn.ts";

export { patternText } from "../sandbox/call-pattern.ts";

/** How far a decision reaches: this call, calls like it in this session, or such calls until it is revoked. */
export const decisionScopes = ["once", "session", "always"] as const;
export type DecisionScope = (typeof decisionScopes)[number];

export interface Decision {
  readonly approved: boolean;
  /** Read by the model. */
  readonly note?: string | undefined;
  /** `once` when left out. */
  readonly scope?: DecisionScope | undefined;
}

/** Throws unless this principal may decide so far, and what was asked can be remembered. */
export function checkScope(approval: Approval, by: Principal, { scope = "once" }: Decision): void {
  if (scope === "once") return;
  const cannot = `Cannot decide ${approval.id} with scope ${scope}:`;
  if (scope === "always" && by.scope !== "operator") {
    throw new AppError("forbidden", `${cannot} that is the operator's. Use session or once.`);
  }
  if (scope === "session" && approval.sessionId === undefined) {
    throw new AppError("bad_request", `${cannot} its turn belongs to no session. Use once.`);
  }
  if (approval.pattern === undefined) {
    throw new AppError(
      "bad_request",
      `${cannot} a call like this is not remembered: its arguments are too long, or mean something else another time. Use once.`,
    );
  }
}

/** What is remembered of a decision, if anything. */
export function ruleOf(
  { pattern, sessionId, requester, toolName }: Approval,
  by: Principal,
  { approved, note, scope = "once" }: Decision,
  made: { readonly id: string; readonly now: number },
): ApprovalRule | undefined {
  if (scope === "once" || pattern === undefined) return undefined;
  return {
    id: made.id,
    principal: requester,
    ...(scope === "session" && sessionId !== undefined && { sessionId }),
    toolName,
    pattern,
    approved,
    ...(note !== undefined && { note }),
    decidedBy: by.name,
    createdAt: made.now,
  };
}

/** Why a call ran, or did not, that nobody was asked about. */
export function ruleText({ approved, pattern, toolName, sessionId, decidedBy, id }: ApprovalRule): string {
  const what = patternText(pattern);
  const calls = what === undefined ? `exactly this call of ${toolName}` : `${toolName} ${what}`;
  const reach = sessionId === undefined ? "always" : "for this session";
  return `${decidedBy} ${approved ? "allowed" : "refused"} ${calls} ${reach} (${id})`;
}
