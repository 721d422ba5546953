import type { AppError } from "../../errors.ts";
import type { FinishReason } from "../../llm/llm.ts";
import type { ToolCall, Usage } from "../../llm/message.ts";
import { type AnswerEvent, createAnswerText } from "../answer-text.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What stands in a response from its beginning to its end: its id, its model, and what the client asked for. */
export type ResponseHead = Fields & { readonly id: string };

/** One event of the stream, without its number. */
export type ResponseEvent = Fields & { readonly type: string };

export interface ResponseEnd {
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly clientCalls: readonly ToolCall[];
}

const toUsage = ({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Usage) => ({
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: cachedTokens },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: reasoningTokens },
  total_tokens: inputTokens + outputTokens,
});

const incompleteReasons: Partial<Record<FinishReason, string>> = {
  length: "max_output_tokens",
  content_filter: "content_filter",
};

/** An item that grows: the answer's text, or the model's reasoning. */
interface Growing {
  readonly kind: "text" | "reasoning";
  readonly item: Fields;
  text: string;
}

const kinds = {
  text: { prefix: "msg", part: "output_text", deltas: "response.output_text" },
  reasoning: { prefix: "rs", part: "reasoning_text", deltas: "response.reasoning_text" },
} as const;

const partOf = (kind: Growing["kind"], text: string) =>
  kind === "text"
    ? { type: "output_text", text, annotations: [], logprobs: [] }
    : { type: "reasoning_text", text };

const itemOf = (kind: Growing["kind"], id: string, status: string, content: readonly Fields[]) =>
  kind === "text"
    ? { id, type: "message", status, role: "assistant", content }
    : { id, type: "reasoning", status, summary: [], content };

/** Puts a response together out of the events of a turn, and tells each step of it in the official order. */
export function createResponse(head: ResponseHead, tell: (event: ResponseEvent) => void) {
  const answer = createAnswerText();
  const output: Fields[] = [];
  const suffix = head.id.replace(/^resp_/, "");
  let growing: Growing | undefined;

  const response = (status: string, more: Fields = {}) => ({
    ...head,
    status,
    error: null,
    incomplete_details: null,
    output,
    usage: null,
    ...more,
  });

  function open(kind: Growing["kind"]): Growing {
    const { prefix } = kinds[kind];
    const id = `${prefix}_${suffix}_${output.length}`;
    tell({
      type: "response.output_item.added",
      output_index: output.length,
      item: itemOf(kind, id, "in_progress", []),
    });
    const item = { item_id: id, output_index: output.length, content_index: 0 };
    tell({ type: "response.content_part.added", ...item, part: partOf(kind, "") });
    return { kind, item, text: "" };
  }

  function close(status: "completed" | "incomplete" = "completed") {
    if (growing === undefined) return;
    const { kind, item, text } = growing;
    const part = partOf(kind, text);
    const whole = itemOf(kind, String(item.item_id), status, [part]);
    tell({ type: `${kinds[kind].deltas}.done`, ...item, text, ...(kind === "text" && { logprobs: [] }) });
    tell({ type: "response.content_part.done", ...item, part });
    tell({ type: "response.output_item.done", output_index: output.length, item: whole });
    output.push(whole);
    growing = undefined;
  }

  function grow(kind: Growing["kind"], delta: string) {
    if (growing?.kind !== kind) close();
    growing ??= open(kind);
    growing.text += delta;
    const logprobs = kind === "text" ? { logprobs: [] } : {};
    tell({ type: `${kinds[kind].deltas}.delta`, ...growing.item, delta, ...logprobs });
  }

  function addCall(call: ToolCall) {
    const id = `fc_${suffix}_${output.length}`;
    const at = { output_index: output.length };
    const item = { id, type: "function_call", call_id: call.id, name: call.name };
    const of = { item_id: id, ...at };
    tell({
      type: "response.output_item.added",
      ...at,
      item: { ...item, arguments: "", status: "in_progress" },
    });
    tell({ type: "response.function_call_arguments.delta", ...of, delta: call.arguments });
    tell({
      type: "response.function_call_arguments.done",
      ...of,
      name: call.name,
      arguments: call.arguments,
    });
    const whole = { ...item, arguments: call.arguments, status: "completed" };
    tell({ type: "response.output_item.done", ...at, item: whole });
    output.push(whole);
  }

  return {
    begin() {
      tell({ type: "response.created", response: response("in_progress") });
      tell({ type: "response.in_progress", response: response("in_progress") });
    },
    add(event: AnswerEvent) {
      const text = answer.add(event);
      if (text !== "") grow("text", text);
      else if (event.type === "reasoning") grow("reasoning", event.text);
    },
    /** Ends the items and returns the whole; `finish` tells it. */
    end({ finishReason, usage, clientCalls }: ResponseEnd) {
      const reason = incompleteReasons[finishReason];
      close(reason === undefined ? "completed" : "incomplete");
      for (const call of clientCalls) addCall(call);
      const status = reason === undefined ? "completed" : "incomplete";
      return response(status, {
        ...(reason !== undefined && { incomplete_details: { reason } }),
        usage: toUsage(usage),
      });
    },
    finish(whole: ReturnType<typeof response>) {
      tell({ type: `response.${whole.status}`, response: whole });
    },
    fail({ code, message }: AppError) {
      close("incomplete");
      tell({ type: "response.failed", response: response("failed", { error: { code, message } }) });
    },
  };
}
