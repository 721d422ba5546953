import { AppError } from "../../src/errors.ts";
import type { Llm, LlmEvent, LlmRequest } from "../../src/llm/llm.ts";
import { assistantMessage, noUsage } from "../../src/llm/message.ts";

export const text = (said: string): LlmEvent => ({ type: "text", text: said });
export const answer = (said: string): LlmEvent => ({
  type: "answer",
  message: assistantMessage(said),
  finishReason: "stop",
  usage: noUsage,
  model: "m",
});
export const whole = (said: string): readonly LlmEvent[] => [text(said), answer(said)];

/** What each call does: it yields its events, then throws the error at its end. */
export function scripted(calls: readonly (readonly (LlmEvent | Error)[])[]) {
  const requests: LlmRequest[] = [];
  let open = 0;
  const llm: Llm = async function* scripted(request) {
    const call = calls[requests.length] ?? [new Error("The script is over.")];
    requests.push(request);
    open++;
    try {
      for (const event of call) {
        if (event instanceof Error) throw event;
        yield event;
      }
    } finally {
      open--;
    }
  };
  return { llm, requests, open: () => open };
}

export const failed = (status: number, more: { retryAfterMs?: number; retryable?: boolean } = {}) =>
  new AppError(status === 429 ? "rate_limited" : "provider_error", `failed ${status}`, {
    retryAfterMs: more.retryAfterMs,
    upstream: { status, retryable: more.retryable ?? (status === 429 || status >= 500) },
  });
export const lost = () => new AppError("provider_error", "lost", { upstream: { retryable: true } });
