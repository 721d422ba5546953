import type { Conversation, Progress } from "../conversation.ts";
import { duration } from "./duration.ts";
import { useNow } from "./use-now.ts";

function told(progress: Progress | undefined, now: number) {
  if (!progress) return "Working";
  const { step, maxSteps, retryAt, text } = progress;
  if (step !== undefined && maxSteps !== undefined) return `Step ${step} of at most ${maxSteps}`;
  const wait = retryAt === undefined ? 0 : Math.ceil((retryAt - now) / 1000);
  return wait > 0 ? `${text} (next try in ${wait} s)` : text;
}

/** How far the running turn is, else what the last one used. */
export function StatusLine({ conversation: { turn, usage, items } }: { conversation: Conversation }) {
  const now = useNow(turn !== undefined);
  const asked = items.some((item) => item.kind === "approval" && item.state === "open");
  if (turn) {
    return (
      <p class="status running">
        <span role="status">{asked ? "Waits for your decision" : told(turn.progress, now)}</span>
        <span class="time" aria-hidden="true">
          {duration(now - turn.startedAt)}
        </span>
      </p>
    );
  }
  const count = (tokens: number) => tokens.toLocaleString();
  return (
    <p class="status">
      {usage && (
        <span>
          {usage.estimated ? "about " : ""}
          {count(usage.inputTokens)} tokens in, {count(usage.outputTokens)} out
        </span>
      )}
    </p>
  );
}
