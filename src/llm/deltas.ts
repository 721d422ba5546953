import { createCallAssembler } from "./calls.ts";
import type { Faults } from "./faults.ts";
import { type ForeignObject, parseJson, readList, readObject, readText } from "./foreign-json.ts";
import type { FinishReason, LlmEvent, Spent } from "./llm.ts";
import { assistantMessage, type Usage } from "./message.ts";
import { createOpaqueParts } from "./opaque.ts";
import { estimatedUsage, readUsage } from "./usage.ts";

const maxTextChars = 8 * 1024 * 1024;

export type Answer = Extract<LlmEvent, { type: "answer" }>;

export interface AnswerAssembler {
  /** Takes one payload of the stream and tells what it brings. Throws `provider_error`, `rate_limited`, … when it is an error or no JSON. */
  push(payload: string): readonly LlmEvent[];
  /** True once any part of the answer came. */
  begun(): boolean;
  /** True after `[DONE]`: nothing more will come. */
  ended(): boolean;
  /** True when the provider has said why the answer ends: it is whole, though its usage may still come. */
  whole(): boolean;
  /** What it has cost so far; undefined while nothing came. */
  spent(): Spent | undefined;
  /** The answer; `inputBytes` of the request stand in for a usage that was not told. Throws `provider_error` when the stream was cut. */
  finish(inputBytes: number): Answer;
}

const nothing: readonly LlmEvent[] = [];

/** Also what is said of a call that was no good, such as Gemini's `malformed_function_call`. */
const endsForCall = /malformed|tool_call|function_call/i;

/** Puts the payloads of a streamed completion, or the one payload of a plain one, together into an answer of `provider`. */
export function createAnswerAssembler(model: string, faults: Faults, provider: string): AnswerAssembler {
  const calls = createCallAssembler();
  const opaque = createOpaqueParts();
  let text = "";
  let reasoning = "";
  let usage: Usage | undefined;
  let answeredBy = model;
  let finishReason: string | undefined;
  let begun = false;
  let done = false;
  let odd = "";

  /** `part` is a delta of a stream, or the message of a plain completion. */
  function readPart(part: ForeignObject): readonly LlmEvent[] {
    const moreText = readContent(part.content) || readText(part.refusal);
    const moreReasoning =
      readText(part.reasoning_content) || readText(part.reasoning) || readThinking(part.content);
    opaque.push(part);
    if (part.tool_calls) calls.push(part.tool_calls);
    else if (part.function_call) calls.push([{ index: 0, function: part.function_call }]);
    if (moreText === "" && moreReasoning === "") return nothing;
    text += moreText;
    reasoning += moreReasoning;
    if (text.length + reasoning.length > maxTextChars) {
      throw faults.broken(`sent an answer of more than ${maxTextChars} characters`);
    }
    if (moreReasoning === "") return [{ type: "text", text: moreText }];
    const thought: LlmEvent = { type: "reasoning", text: moreReasoning };
    return moreText === "" ? [thought] : [thought, { type: "text", text: moreText }];
  }

  function push(payload: string): readonly LlmEvent[] {
    if (done || payload === "") return nothing;
    if (payload === "[DONE]") {
      done = true;
      return nothing;
    }
    const value = parseJson(payload);
    const chunk = readObject(Array.isArray(value) ? value[0] : value);
    if (!chunk) throw faults.broken("sent something that is not JSON", payload);
    if (chunk.error) throw faults.reported(chunk.error);
    if (chunk.object === "error") throw faults.reported(chunk);
    usage = readUsage(chunk.usage) ?? usage;
    const choice = readObject(readList(chunk.choices)[0]);
    if (!choice) {
      if (!begun && !chunk.usage) odd = payload;
      return nothing;
    }
    begun = true;
    answeredBy = readText(chunk.model) || answeredBy;
    finishReason = readText(choice.finish_reason) || finishReason;
    const message = readObject(choice.message);
    if (message && !choice.delta) finishReason ??= "stop";
    const part = readObject(choice.delta) ?? message;
    const events = part ? readPart(part) : nothing;
    return choice.logprobs ? withLogprobs(events, readObject(choice.logprobs)?.content) : events;
  }

  /** Calls cost as much as text, and nobody hears of them before the end. */
  const outputBytes = () => Buffer.byteLength(text) + Buffer.byteLength(reasoning) + calls.size();

  return {
    push,
    begun: () => begun,
    ended: () => done,
    whole: () => finishReason !== undefined,
    spent: () => (begun || usage ? { told: usage, bytes: outputBytes() } : undefined),
    finish(inputBytes) {
      if (!begun) throw faults.cut("sent no answer", odd);
      if (finishReason === "error") throw faults.cut("broke off the answer with an error");
      if (finishReason === undefined && !done)
        throw faults.cut("closed the connection in the middle of the answer");
      const asked = calls.finish();
      if (asked.length === 0 && text.trim() === "" && endsForCall.test(finishReason ?? ""))
        throw faults.cut("ended its answer with a tool call that it did not send", finishReason);
      const meta = opaque.finish(provider, calls.opaque());
      return {
        type: "answer",
        message: { ...assistantMessage(text, asked), ...(meta !== undefined && { meta }) },
        finishReason: readFinishReason(finishReason, asked.length > 0),
        usage: usage ?? estimatedUsage(inputBytes, outputBytes()),
        model: answeredBy,
      };
    },
  };
}

/** Only what was asked for comes with these, and it belongs to the text of the same payload. */
function withLogprobs(events: readonly LlmEvent[], content: unknown): readonly LlmEvent[] {
  const logprobs = readList(content);
  if (logprobs.length === 0) return events;
  return events.map((event) => (event.type === "text" ? { ...event, logprobs } : event));
}

/** Content is a text, or a list of parts of which only the texts are for people. */
function readContent(content: unknown): string {
  if (typeof content === "string") return content;
  return readList(content)
    .map((part) => readText(readObject(part)?.text))
    .join("");
}

/** Mistral's models put what they think among the parts of the content. */
function readThinking(content: unknown): string {
  if (typeof content === "string") return "";
  return readList(content)
    .map((part) => readContent(readObject(part)?.thinking))
    .join("");
}

function readFinishReason(told: string | undefined, hasCalls: boolean): FinishReason {
  switch (told?.toLowerCase()) {
    case "length":
    case "max_tokens":
    case "model_length":
      return "length";
    case "content_filter":
    case "safety":
      return "content_filter";
    default:
      // Several providers say `stop` beside calls.
      return hasCalls ? "tool_calls" : "stop";
  }
}
