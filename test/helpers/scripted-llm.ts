import type { Llm, LlmEvent, LlmRequest } from "../../src/llm/llm.ts";
import { assistantMessage, type ToolCall, type Usage } from "../../src/llm/message.ts";

export const someUsage: Usage = {
  inputTokens: 10,
  outputTokens: 5,
  cachedTokens: 0,
  reasoningTokens: 0,
  estimated: false,
};

/** The answer of one step. */
export const answers = (text: string, calls: readonly ToolCall[] = []): LlmEvent[] => [
  ...(text === "" ? [] : [{ type: "text" as const, text }]),
  {
    type: "answer",
    message: assistantMessage(text, calls),
    finishReason: calls.length > 0 ? "tool_calls" : "stop",
    usage: someUsage,
    model: "scripted",
  },
];

export const call = (name: string, input: unknown = {}, id = `call_${name}`): ToolCall => ({
  id,
  name,
  arguments: JSON.stringify(input),
});

/** A model that answers its calls with one list of events after the other; keeps what it was asked. */
export function scriptedLlm(...steps: readonly LlmEvent[][]): Llm & { readonly requests: LlmRequest[] } {
  const requests: LlmRequest[] = [];
  const llm: Llm = async function* scripted(request) {
    const step = steps[requests.length];
    requests.push(request);
    if (step === undefined) throw new Error("The script has no step left.");
    yield* step;
  };
  return Object.assign(llm, { requests });
}
