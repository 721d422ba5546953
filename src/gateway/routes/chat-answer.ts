import type { TurnEvent } from "../../agent/turn.ts";
import { noUsage, type ToolCall, type Usage } from "../../llm/message.ts";
import { AppError } from "../../errors.ts";
import { type AnswerEvent, createAnswerText } from "../answer-text.ts";

/** What stands in each piece of an answer. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export type Done = Extract<TurnEvent, { type: "done" }>;

/** How an answer ended that no model gave. */
export const endOfNotice = { finishReason: "stop", usage: noUsage, clientCalls: [] } as const;

/** A failure of a kept session's turn as the error that it was. */
export function throwFailure(event: AnswerEvent): void {
  if (event.type !== "failed") return;
  const { code, message, retryAfterMs } = event;
  throw new AppError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

export const toUsage = ({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Usage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
  completion_tokens_details: { reasoning_tokens: reasoningTokens },
});

export const toLogprobs = (content: readonly unknown[]) => ({ content, refusal: null });

export const toToolCall = (call: ToolCall) => ({
  id: call.id,
  type: "function",
  function: { name: call.name, arguments: call.arguments },
});

/** The whole answer of a turn as one chat completion. Throws what the turn failed with. */
export async function wholeAnswer(events: AsyncIterable<AnswerEvent>, { id, created, model }: AnswerHead) {
  const answer = createAnswerText();
  const logprobs: unknown[] = [];
  let end: Pick<Done, "finishReason" | "usage" | "clientCalls"> | undefined;
  for await (const event of events) {
    throwFailure(event);
    answer.add(event);
    if (event.type === "text") for (const each of event.logprobs ?? []) logprobs.push(each);
    if (event.type === "done") end = event;
    if (event.type === "notice") end = endOfNotice;
  }
  if (end === undefined) throw new AppError("internal", "The turn ended without an answer.");
  const { finishReason, usage, clientCalls } = end;
  const message = {
    role: "assistant",
    content: answer.text === "" && clientCalls.length > 0 ? null : answer.text,
    refusal: null,
    ...(clientCalls.length > 0 && { tool_calls: clientCalls.map(toToolCall) }),
  };
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [
      {
        index: 0,
        message,
        logprobs: logprobs.length > 0 ? toLogprobs(logprobs) : null,
        finish_reason: finishReason,
      },
    ],
    usage: toUsage(usage),
  };
}
