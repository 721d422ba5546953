import type { TurnEvent } from "./turn.ts";
import type { Verdict } from "./approvals.ts";

/** Sentences for people who see nothing but text; clients of OpenClaw.NET know their words. */

const longestPreview = 800;

/** What a person is asked before a tool runs. */
export const approvalPrompt = (
  asked: Pick<Extract<TurnEvent, { type: "approval" }>, "approvalId" | "toolName" | "argumentsPreview">,
) =>
  [
    "Tool approval required.",
    `- id: ${asked.approvalId}`,
    `- tool: ${asked.toolName}`,
    `- args: ${asked.argumentsPreview.slice(0, longestPreview)}`,
    `Reply with /approve ${asked.approvalId} yes|no`,
  ].join("\n");

/** What became of a decision. */
export function verdictText(verdict: Verdict, id: string, approved: boolean): string {
  if (verdict === "unknown") return `No pending approval found for id: ${id}`;
  if (verdict === "not_yours") return `Approval id is not valid for this sender/channel: ${id}`;
  return `Tool approval recorded: ${id} = ${approved ? "approved" : "denied"}`;
}

/** One line for a turn that was refused or failed; the busy one goes out as it is. */
export const errorLine = (code: string, message: string) => (code === "busy" ? message : `Error: ${message}`);
