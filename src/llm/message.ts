import * as v from "valibot";

export const Role = v.picklist(["system", "user", "assistant", "tool"]);
export type Role = v.InferOutput<typeof Role>;

/**
 * One message of a conversation as the bytes that are sent to a model (an OpenAI chat message), with what our own
 * code must know of it beside them, so that no turn parses its history again.
 */
export interface Message {
  readonly role: Role;
  /** The JSON text of the chat message. */
  readonly json: string;
  /** assistant: the ids of the tool calls in it; tool: the one id that it answers; else empty. */
  readonly callIds: readonly string[];
  /** What the provider of an answer wants back as it came, and nobody else may see (`opaque.ts`). */
  readonly meta?: string;
}

/** A call that a model asked for; `arguments` is always the text of a JSON object. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** Set when what the model sent as arguments was no JSON object: `arguments` is then `{}` and this says why. */
  readonly problem?: string;
}

export interface AssistantMessage extends Message {
  readonly role: "assistant";
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

/** Tokens of one call, or of all the calls of a turn. `estimated` when the provider did not say. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  readonly estimated: boolean;
}

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  estimated: false,
};

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cachedTokens: a.cachedTokens + b.cachedTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  estimated: a.estimated || b.estimated,
});

export const systemMessage = (content: string): Message => ({
  role: "system",
  json: JSON.stringify({ role: "system", content }),
  callIds: [],
});

/** `content` is a text, or OpenAI content parts that a schema has checked. */
export const userMessage = (content: string | readonly object[]): Message => ({
  role: "user",
  json: JSON.stringify({ role: "user", content }),
  callIds: [],
});

export const toolMessage = (callId: string, content: string): Message => ({
  role: "tool",
  json: JSON.stringify({ role: "tool", tool_call_id: callId, content }),
  callIds: [callId],
});

/** `extra` carries what a provider wants back as it came (reasoning, signatures). */
export function assistantMessage(
  text: string,
  calls: readonly ToolCall[] = [],
  extra: Readonly<Record<string, unknown>> = {},
): AssistantMessage {
  const tool_calls = calls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
  }));
  const json = JSON.stringify({
    role: "assistant",
    // Several providers refuse an absent content, others an empty one beside calls: null is what OpenAI sends.
    content: text === "" && calls.length > 0 ? null : text,
    ...(calls.length > 0 && { tool_calls }),
    ...extra,
  });
  return { role: "assistant", json, text, calls, callIds: calls.map((call) => call.id) };
}

const StoredCall = v.object({
  id: v.string(),
  function: v.object({ name: v.string(), arguments: v.string() }),
});
const StoredAssistant = v.object({
  content: v.nullish(v.string()),
  tool_calls: v.optional(v.array(StoredCall), []),
});

/** Reads the calls and the text of an assistant's message back from its bytes. */
export function readAssistant(message: Message): { text: string; calls: ToolCall[] } {
  const { content, tool_calls } = v.parse(StoredAssistant, JSON.parse(message.json));
  const calls = tool_calls.map((call) => ({ id: call.id, ...call.function }));
  return { text: content ?? "", calls };
}
