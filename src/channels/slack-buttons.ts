import * as v from "valibot";
import { escapeText } from "./slack-text.ts";

/** Questions with buttons, and what Slack tells when one is pressed. */

/** Slack takes 3,000 characters, the marks around it included. */
const longestSection = 2900;

const decisions = {
  approve: { label: "Approve", approved: true, scope: "once" },
  approve_session: { label: "Approve for this session", approved: true, scope: "session" },
  deny: { label: "Deny", approved: false, scope: "once" },
} as const;
type Decision = keyof typeof decisions;

const isDecision = (name: string): name is Decision => Object.hasOwn(decisions, name);

/** The blocks of a question; only `asker` may press its buttons. */
export function questionBlocks(text: string, approvalId: string, asker: string) {
  const button = (name: Decision) => ({
    type: "button",
    action_id: name,
    text: { type: "plain_text", text: decisions[name].label },
    value: `${approvalId} ${asker}`,
    ...(name === "approve" && { style: "primary" }),
    ...(name === "deny" && { style: "danger" }),
  });
  const names: Decision[] = ["approve", "approve_session", "deny"];
  return [asCode(escapeText(text)), { type: "actions", elements: names.map(button) }];
}

/** As code, so that no mark of what a tool is to be given hides a part of it. */
function asCode(escaped: string) {
  const text = escaped.replaceAll("```", "\'\'\'");
  // No half of an `&amp;` at the end.
  const cut =
    text.length <= longestSection
      ? text
      : `${text.slice(0, longestSection - 1).replace(/&[a-z]{0,3}$/, "")}…`;
  return section(`\`\`\`${cut}\`\`\``);
}

const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text, verbatim: true } });

/** The blocks of a question that was decided; both texts escaped. */
export const decidedBlocks = (question: string, verdict: string) => [asCode(question), section(verdict)];

const Interaction = v.object({
  type: v.literal("block_actions"),
  user: v.object({ id: v.string() }),
  channel: v.object({ id: v.string() }),
  message: v.object({ ts: v.string(), text: v.optional(v.string(), ""), thread_ts: v.nullish(v.string()) }),
  actions: v.pipe(v.array(v.object({ action_id: v.string(), value: v.nullish(v.string()) })), v.minLength(1)),
});

/** A button that was pressed under one of our questions. */
export interface Pressed {
  readonly by: string;
  /** Who was asked; the same as `by`, or the press counts for nothing. */
  readonly asker: string;
  readonly approvalId: string;
  readonly approved: boolean;
  readonly scope: "once" | "session";
  readonly channel: string;
  /** Of the question. */
  readonly ts: string;
  readonly thread?: string;
  readonly question: string;
}

/** Undefined for every interaction that is no press of ours. */
export function readPressed(interaction: unknown): Pressed | undefined {
  const parsed = v.safeParse(Interaction, interaction);
  if (!parsed.success) return undefined;
  const { user, channel, message, actions } = parsed.output;
  const [action] = actions;
  const [, approvalId, asker] = /^(apr_[0-9a-f]{16}) ([A-Z][A-Z0-9]{1,31})$/.exec(action?.value ?? "") ?? [];
  if (
    action === undefined ||
    !isDecision(action.action_id) ||
    approvalId === undefined ||
    asker === undefined
  )
    return undefined;
  const { approved, scope } = decisions[action.action_id];
  return {
    by: user.id,
    asker,
    approvalId,
    approved,
    scope,
    channel: channel.id,
    ts: message.ts,
    ...(message.thread_ts != null && { thread: message.thread_ts }),
    question: message.text,
  };
}
