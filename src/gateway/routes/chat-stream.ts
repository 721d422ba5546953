import { type AnswerEvent, createAnswerText } from "../answer-text.ts";
import { errorBody } from "../respond.ts";
import { type AnswerStream, type AnswerWriter, streamAnswer } from "./answer-stream.ts";
import { type AnswerHead, type Done, endOfNotice, toLogprobs, toToolCall, toUsage } from "./chat-answer.ts";

export interface ChunkOptions {
  /** Whether what our own tools do is told. */
  readonly tools: boolean;
  /** Whether a chunk with the usage is asked for. */
  readonly usage: boolean;
}

/** Writes the chunks of one answer: a text of server-sent events for each event, empty when it tells nothing. */
export function createChunks({ id, created, model }: AnswerHead, options: ChunkOptions) {
  // What is the same in every chunk is made once; only the delta is new.
  const head = `{"id":"${id}","object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},`;
  const before = `data: ${head}"choices":[{"index":0,"delta":`;
  const noUsage = options.usage ? ',"usage":null' : "";
  const after = `,"logprobs":null,"finish_reason":null}]${noUsage}}\n\n`;
  const answer = createAnswerText();
  let role = `${before}{"role":"assistant","content":""}${after}`;

  const chunk = (delta: object, logprobs?: readonly unknown[]) => {
    const end =
      logprobs === undefined ? after : after.replace("null", () => JSON.stringify(toLogprobs(logprobs)));
    const text = `${role}${before}${JSON.stringify(delta)}${end}`;
    role = "";
    return text;
  };

  function end({
    finishReason,
    usage,
    clientCalls,
  }: Pick<Done, "finishReason" | "usage" | "clientCalls">): string {
    const calls = clientCalls.map((call, index) => ({ index, ...toToolCall(call) }));
    const told = calls.length > 0 ? chunk({ tool_calls: calls }) : "";
    const last = `${before}{},"logprobs":null,"finish_reason":"${finishReason}"}]${noUsage}}\n\n`;
    const spent = options.usage
      ? `data: ${head}"choices":[],"usage":${JSON.stringify(toUsage(usage))}}\n\n`
      : "";
    const text = `${role}${told}${last}${spent}data: [DONE]\n\n`;
    role = "";
    return text;
  }

  return function toChunks(event: AnswerEvent): string {
    const text = answer.add(event);
    switch (event.type) {
      case "text":
        return text === "" ? "" : chunk({ content: text }, event.logprobs);
      case "notice":
        return chunk({ content: text }) + end(endOfNotice);
      case "done":
        return end(event);
      case "approval":
        return `: waiting for a decision on ${event.approvalId}\n\n`;
      case "tool_start":
      case "tool_chunk": {
        if (!options.tools) return "";
        const { callId, toolName } = event;
        const content = event.type === "tool_chunk" ? event.text : "";
        return chunk({ openclaw_tool_delta: { callId, toolName, content } });
      }
      case "tool_result": {
        if (!options.tools) return "";
        const { callId, toolName, text: content, resultStatus, reason, durationMs } = event;
        return chunk({
          openclaw_tool_result: { callId, toolName, content, resultStatus, reason, durationMs },
        });
      }
      default:
        return "";
    }
  };
}

/** Answers with a stream of chunks, and `[DONE]`; a failure is one line with the error, without it. */
export function streamChunks(
  events: AsyncIterable<AnswerEvent>,
  of: Omit<AnswerStream, "path"> & { readonly head: AnswerHead; readonly options: ChunkOptions },
): Promise<Response> {
  const toChunks = createChunks(of.head, of.options);
  let ended = false;
  const writer: AnswerWriter = {
    write(event) {
      const text = toChunks(event);
      ended ||= text.endsWith("data: [DONE]\n\n");
      return text;
    },
    fail: (error) => `data: ${JSON.stringify(errorBody(error))}\n\n`,
    ended: () => ended,
  };
  return streamAnswer(events, writer, { ...of, path: "/v1/chat/completions" });
}
