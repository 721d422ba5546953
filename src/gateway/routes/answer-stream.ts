import { AppError } from "../../errors.ts";
import type { AnswerEvent } from "../answer-text.ts";
import type { Call } from "../call.ts";
import { toPublic } from "../respond.ts";
import { defaultHeartbeatMs, eventStreamHeaders, streamResponse } from "../stream.ts";
import { throwFailure } from "./chat-answer.ts";

/** How the events of a turn are written as server-sent events. */
export interface AnswerWriter {
  /** The text of an event; empty when it tells nothing. Throws what the turn failed with. */
  write(event: AnswerEvent): string | Promise<string>;
  /** What is sent instead of the rest when the turn fails. */
  fail(error: AppError): string;
  /** True once the end of the answer was written. */
  ended(): boolean;
}

export interface AnswerStream {
  readonly path: string;
  readonly call: Pick<Call, "setSlow">;
  readonly requestId: string;
  /** Aborted when the client is gone, with why. */
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
}

/**
 * Answers with a stream. It waits for the first text (15 s at most), so that a turn which fails before is answered by a
 * status that says so; after that a failure is told in the stream, which then ends.
 */
export async function streamAnswer(
  events: AsyncIterable<AnswerEvent>,
  writer: AnswerWriter,
  of: AnswerStream,
): Promise<Response> {
  const { heartbeatMs = defaultHeartbeatMs } = of;
  const iterator = events[Symbol.asyncIterator]();

  /** The next text to send; undefined at the end. */
  async function next(): Promise<string | undefined> {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      throwFailure(value);
      const written = writer.write(value);
      const text = typeof written === "string" ? written : await written;
      if (text !== "") return text;
    }
  }

  // Also when it goes before the stream is first read: what the turn holds must be let go.
  const leave = () => void iterator.return?.().catch(() => {});
  of.signal.addEventListener("abort", leave, { once: true });
  if (of.signal.aborted) {
    leave();
    throw of.signal.reason;
  }
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
        for (let text = await first; text !== undefined; text = await next()) await write(text);
        if (!writer.ended()) throw new AppError("internal", "The turn ended without an answer.");
      } catch (error) {
        await write(writer.fail(toPublic(error, of.path, of.requestId)));
      } finally {
        // Ends a turn that has no session; one of a session goes on.
        await iterator.return?.();
      }
    },
  });
}
