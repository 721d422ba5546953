import type { ErrorItem } from "../conversation.ts";

/** What a person can do about it, by the code of the error. */
const advice: Record<string, string> = {
  budget_exceeded: "Start a new session, or raise the budget in the server's settings.",
  busy: "Send it again in a moment.",
  internal: "The server's log has the details.",
  model_not_found: "Choose a model that is there with /model, or set MODEL_PROVIDER_MODEL.",
  provider_error: "Check the model's address and key in the server's settings, then send it again.",
  provider_timeout: "Send it again; if it stays like this, raise OPENCLAW_LLM_TIMEOUT_SECONDS.",
  rate_limited: "Wait a moment, then send it again.",
  step_limit: "Say “go on” to let it continue.",
  unavailable: "Send it again once the server is well.",
};

/** Why a turn ended without an answer. One that a person stopped is no fault. */
export function ErrorRow({ error: { code, text } }: { error: ErrorItem }) {
  if (code === "cancelled") return <p class="decided">Stopped. What was done so far is kept.</p>;
  return (
    <div class="failure" role="alert">
      <p>{text}</p>
      {advice[code] !== undefined && <p class="hint">{advice[code]}</p>}
    </div>
  );
}
