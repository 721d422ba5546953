import * as v from "valibot";
import { decisionScopes, patternText } from "../../agent/decision.ts";
import { AppError } from "../../errors.ts";
import type { ApprovalRule } from "../../store/approval-rules.ts";
import { ApprovalId } from "../ids.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const list = defineOperation({
  name: "approvals.list",
  http: "GET /api/approvals",
  scope: "chat",
  summary: "The open questions that the caller may decide, oldest first.",
  params: v.object({}),
  result: v.object({
    items: v.array(
      v.object({
        id: v.string(),
        turnId: v.string(),
        sessionId: v.optional(v.string()),
        callId: v.string(),
        toolName: v.string(),
        argumentsJson: v.string(),
        argumentsPreview: v.string(),
        pattern: v.optional(v.string()),
        reason: v.string(),
        requester: v.string(),
        askedAt: v.number(),
        expiresAt: v.number(),
      }),
    ),
  }),
  run: async (_, { approvals, principal }) => ({
    items: (await approvals.pending(principal)).map(({ pattern, ...approval }) => ({
      ...approval,
      ...(pattern !== undefined && { pattern: patternText(pattern) }),
    })),
  }),
});

export const DecisionScope = v.optional(
  v.picklist(
    decisionScopes,
    "A decision is for this call (`once`), for calls like it in its `session`, or `always`.",
  ),
  "once",
);
export const Note = v.optional(v.pipe(v.string(), v.maxLength(2000)));

const decide = defineOperation({
  name: "approvals.decide",
  http: "POST /api/approvals/:approval",
  scope: "chat",
  summary:
    "Decides an open question, once. `note` is read by the model; `scope` `session` decides for calls of the same pattern in its session too, `always` (the operator's) until it is revoked.",
  params: v.object({ approval: ApprovalId, approved: v.boolean(), note: Note, scope: DecisionScope }),
  result: v.object({ id: v.string(), approved: v.boolean(), scope: v.string() }),
  async run({ approval, approved, note, scope }, { approvals, principal }) {
    // Whose it is, is nobody else's business: the answer is the same as for one that is not there.
    if ((await approvals.decide(approval, principal, { approved, note, scope })) === "recorded")
      return { id: approval, approved, scope };
    throw new AppError("not_found", `No pending approval found for id: ${approval}`);
  },
});

const Rule = v.object({
  id: v.string(),
  principal: v.string(),
  sessionId: v.optional(v.string()),
  toolName: v.string(),
  pattern: v.optional(v.string()),
  argumentsJson: v.optional(v.string()),
  approved: v.boolean(),
  note: v.optional(v.string()),
  decidedBy: v.string(),
  createdAt: v.number(),
});

/** Tells a pattern that the tool said from exact arguments. */
function shown({ pattern, ...rule }: ApprovalRule) {
  const text = patternText(pattern);
  return text === undefined ? { ...rule, argumentsJson: pattern } : { ...rule, pattern: text };
}

const listRules = defineOperation({
  name: "approvals.rules",
  http: "GET /api/approvals/rules",
  scope: "operator",
  summary:
    "Decisions that reach beyond one call, the newest first: for a session, or until they are revoked. Each is about calls of one principal, by a pattern or by exactly its arguments.",
  params: v.object({ cursor: PageCursor, limit: Limit }),
  result: pageSchema(Rule),
  async run(page, { approvals }) {
    const { items, ...rest } = await approvals.rules(pageOf(page));
    return { ...rest, items: items.map(shown) };
  },
});

const forget = defineOperation({
  name: "approvals.forget",
  http: "DELETE /api/approvals/rules/:rule",
  scope: "operator",
  summary: "Revokes such a decision: calls like it are asked about again.",
  params: v.object({ rule: ApprovalId }),
  result: v.object({ id: v.string(), forgotten: v.boolean() }),
  async run({ rule: id }, { approvals, principal }) {
    if (await approvals.forget(id, principal)) return { id, forgotten: true };
    throw new AppError("not_found", `There is no approval rule ${id}.`);
  },
});

export const approvalOperations: readonly Operation[] = [list, decide, listRules, forget];
