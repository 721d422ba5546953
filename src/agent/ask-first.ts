import type { ToolCall } from "../llm/message.ts";
import type { Prepared, ToolResult } from "../sandbox/tool.ts";
import type { ApprovalRule } from "../store/approval-rules.ts";
import type { Approval, Approvals } from "./approvals.ts";
import type { Channel } from "./channel.ts";
import { patternText, ruleText } from "./decision.ts";
import type { Turn, TurnEvent } from "./turn.ts";

export type Runnable = Extract<Prepared, { ok: true }>;

/** A call may run (`why`, where a rule says so), or has its result already. */
export type Leave =
  { readonly kind: "run"; readonly why?: string } | { readonly kind: "ended"; readonly result: ToolResult };

/** The result of a call that was not run, or of which nobody knows whether it was. */
export const failed = (text: string, reason?: string): ToolResult => ({
  status: reason === undefined || reason === "unknown_outcome" ? "error" : "denied",
  text,
  images: [],
  ...(reason !== undefined && { reason }),
});

export const unknownOutcome = failed(
  "The server stopped while this call was running, so its outcome is unknown. It was not run again: look at what it may have changed before you repeat it.",
  "unknown_outcome",
);

const ended = (result: ToolResult): Leave => ({ kind: "ended", result });
const said = (note: string | undefined) => (note === undefined ? "" : ` They said: ${note}`);

function refusal({ state, note }: Approval): Leave {
  if (state === "expired") {
    return ended(failed("Nobody decided about this call in time, so it was not run.", "expired"));
  }
  return ended(failed(`A person denied this call, so it was not run.${said(note)}`, "denied"));
}

interface Question {
  readonly turn: Turn;
  readonly call: ToolCall;
  readonly prepared: Runnable;
  /** The rule that asks. */
  readonly reason: string;
  readonly approvals: Approvals;
  readonly events: Channel<TurnEvent>;
}

/** The question that an earlier process asked about this very call, with these very arguments. */
async function askedBefore({ turn, call, prepared, approvals }: Question) {
  const earlier = turn.resumed ? await approvals.ofCall(turn.id, call.id) : undefined;
  if (earlier === undefined) return { changed: false } as const;
  const isSame = earlier.toolName === prepared.name && earlier.argumentsJson === prepared.argumentsJson;
  if (isSame) return { earlier, changed: false } as const;
  // What a person saw is not what would run: the answer to that question is none to this one.
  if (earlier.state === "pending") await approvals.withdraw(earlier);
  return { changed: true } as const;
}

/** The result of a call that an earlier decision refuses, whatever the autonomy is now; undefined where none does. */
export async function refusedBefore(
  turn: Turn,
  prepared: Runnable,
  approvals: Approvals,
): Promise<ToolResult | undefined> {
  const rule = await approvals.remembered(turn, prepared);
  return rule === undefined || rule.approved ? undefined : byDenial(rule);
}

const byDenial = (rule: ApprovalRule) =>
  failed(`This call was not run: ${ruleText(rule)}.${said(rule.note)}`, "denied");

/** What a decision that reaches further says about this call; undefined: none, so a person is asked. */
async function byRule({ turn, prepared, approvals }: Question): Promise<Leave | undefined> {
  const rule = await approvals.remembered(turn, prepared);
  if (rule === undefined) return undefined;
  if (!rule.approved) return ended(byDenial(rule));
  // An earlier process may have run it by the same rule.
  if (turn.resumed && prepared.effect !== "reads") return ended(unknownOutcome);
  return { kind: "run", why: ruleText(rule) };
}

/** Asks the requester, unless it was decided before; answers at once when there is nobody to ask. */
export async function askFirst(question: Question): Promise<Leave> {
  const { turn, call, prepared, approvals } = question;
  const { earlier, changed } = await askedBefore(question);
  if (earlier?.state === "approved") return begin(earlier, question);
  if (earlier !== undefined && earlier.state !== "pending") return refusal(earlier);
  if (earlier === undefined) {
    const ruled = await byRule(question);
    if (ruled !== undefined) return ruled;
  }
  if (turn.request.approver === "none") {
    const text = `${call.name} needs an approval and there is nobody to ask here, so it was not run.`;
    return ended(failed(text, "no_approver"));
  }
  const approval = earlier ?? (await ask(question, changed));
  const pattern = approval.pattern === undefined ? undefined : patternText(approval.pattern);
  question.events.push({
    type: "approval",
    approvalId: approval.id,
    callId: call.id,
    toolName: call.name,
    argumentsPreview: approval.argumentsPreview,
    ...(pattern !== undefined && { pattern }),
    reason: approval.reason,
  });
  const decided = await turn.outsideSlot(() => approvals.decision(approval, turn.signal));
  if (decided.state !== "approved") return refusal(decided);
  // The wait may have been long enough for another process to think this one dead: then that one runs the call.
  await turn.lease?.check();
  return begin(decided, question);
}

/** A call begins once: where the process ended between the decision and the call it is not lost, and never run twice. */
const begin = async (approval: Approval, { approvals, prepared }: Question): Promise<Leave> =>
  (await approvals.start(approval)) || prepared.resumes ? { kind: "run" } : ended(unknownOutcome);

/** Why it is asked, and who asks where that is not the agent that the person talks to. */
function reasonOf({ turn, call, reason }: Question, changed: boolean): string {
  const { agent = "an agent", cause } = turn.request;
  const asking = cause?.kind === "delegate" ? `${agent} (delegate) wants ${call.name}: ${reason}` : reason;
  return changed ? `${asking}; its arguments are not those that were asked about before` : asking;
}

function ask(question: Question, changed: boolean): Promise<Approval> {
  const { turn, call, prepared, approvals } = question;
  const { argumentsJson, pattern } = prepared;
  return approvals.ask(turn, {
    callId: call.id,
    toolName: call.name,
    argumentsJson,
    ...(pattern !== undefined && { pattern }),
    reason: reasonOf(question, changed),
  });
}
