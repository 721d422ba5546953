import type { Effect } from "../sandbox/tool.ts";

export type Autonomy = "readonly" | "supervised" | "full";

export interface AutonomyRules {
  readonly autonomy: Autonomy;
  /** Tools that ask whatever the autonomy says. */
  readonly approvalTools: readonly string[];
}

export type Ruling =
  | { readonly kind: "run" }
  | { readonly kind: "ask"; readonly reason: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly text: string };

/** Whether a call may run, must be approved, or is refused: by what it does, not by its name alone. */
export function rule(toolName: string, effect: Effect, rules: AutonomyRules): Ruling {
  if (rules.autonomy === "readonly" && effect !== "reads") {
    return {
      kind: "refuse",
      reason: "readonly",
      text: `${toolName} was refused: this server is set to readonly (OPENCLAW_AUTONOMY), so nothing may be changed.`,
    };
  }
  if (rules.approvalTools.includes(toolName)) {
    return { kind: "ask", reason: `${toolName} always asks (OPENCLAW_APPROVAL_TOOLS)` };
  }
  if (rules.autonomy === "supervised" && effect !== "reads") {
    const act = effect === "changes" ? "changes something" : "acts on the outside";
    return { kind: "ask", reason: `this call ${act} (OPENCLAW_AUTONOMY=supervised)` };
  }
  return { kind: "run" };
}
