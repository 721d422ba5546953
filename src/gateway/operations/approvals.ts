import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { ApprovalId } from "../ids.ts";
import { defineOperation, type Operation } from "./operation.ts";

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
        reason: v.string(),
        requester: v.string(),
        askedAt: v.number(),
        expiresAt: v.number(),
      }),
    ),
  }),
  run: async (_, { approvals, principal }) => ({ items: await approvals.pending(principal) }),
});

/** How far a decision reaches. Remembering one comes with the grants that it would change. */
export const DecisionScope = v.optional(
  v.literal("once", "Only `once` is known here: each call is decided by itself."),
  "once",
);
export const Note = v.optional(v.pipe(v.string(), v.maxLength(2000)));

const decide = defineOperation({
  name: "approvals.decide",
  http: "POST /api/approvals/:approval",
  scope: "chat",
  summary: "Decides an open question, once. `note` is read by the model.",
  params: v.object({ approval: ApprovalId, approved: v.boolean(), note: Note, scope: DecisionScope }),
  result: v.object({ id: v.string(), approved: v.boolean() }),
  async run({ approval, approved, note }, { approvals, principal }) {
    // Whose it is, is nobody else's business: the answer is the same as for one that is not there.
    if ((await approvals.decide(approval, principal, approved, note)) === "recorded")
      return { id: approval, approved };
    throw new AppError("not_found", `No pending approval found for id: ${approval}`);
  },
});

export const approvalOperations: readonly Operation[] = [list, decide];
