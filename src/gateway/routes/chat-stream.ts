import { AppError } from "../../errors.ts";
import { type AnswerEvent, createAnswerText } from "../answer-text.ts";
import type { Call } from "../call.ts";
import { errorBody, toPublic } from "../respond.ts";
import { defaultHeartbeatMs, eventStreamHeaders, streamResponse } from "../stream.ts";
import { type AnswerHead, type Done, endOfNotice, throwFailure, toToolCall, toUsage } from "./chat-answer.ts";

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

  const chunk = (delta: object) => {
    const text = `${role}${before}${JSON.stringify(delta)}${after}`;
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
        return text === "" ? "" : chunk({ content: text });
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

/**
 * Answers with a stream of chunks. It waits for the first of them (15 s at most), so that a turn which fails before is
 * answered by a status that says so; after that a failure is one line with the error, and the end.
 */
export async function streamAnswer(
  events: AsyncIterable<AnswerEvent>,
  of: {
    head: AnswerHead;
    options: ChunkOptions;
    call: Pick<Call, "setSlow">;
    requestId: string;
    /** Aborted when the client is gone. */
    signal: AbortSignal;
    heartbeatMs?: number;
  },
): Promise<Response> {
  const { heartbeatMs = defaultHeartbeatMs } = of;
  const toChunks = createChunks(of.head, of.options);
  const iterator = events[Symbol.asyncIterator]();

  /** The next text to send; undefined at the end. */
  async function next(): Promise<string | undefined> {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      throwFailure(value);
      const text = toChunks(value);
      if (text !== "") return text;
    }
  }

  // Also when it goes before the stream is first read: what the turn holds must be let go.
  of.signal.addEventListener("abort", () => void iterator.return?.().catch(() => {}), { once: true });
  const first = next();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, heartbeatMs);
  of.call.setSlow(true);
  try {
    await Promise.race([first, late]);
  } catch (error) {
    of.call.setSlow(false);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return streamResponse(of.call, {
    headers: { ...eventStreamHeaders, "x-request-id": of.requestId },
    heartbeat: ": keep-alive\n\n",
    heartbeatMs,
    async run(write) {
      try {
        let ended = false;
        for (let text = await first; text !== undefined; text = await next()) {
          ended = text.endsWith("data: [DONE]\n\n");
          await write(text);
        }
        if (!ended) throw new AppError("internal", "The turn ended without an answer.");
      } catch (error) {
        const told = toPublic(error, "/v1/chat/completions", of.requestId);
        await write(`data: ${JSON.stringify(errorBody(told))}\n\n`);
      } finally {
        // Ends a turn that has no session; one of a session goes on.
        await iterator.return?.();
      }
    },
  });
}
