import type { AnswerEvent } from "../answer-text.ts";
import { throwFailure } from "./chat-answer.ts";
import { AppError } from "../../errors.ts";
import { type AnswerStream, type AnswerWriter, streamAnswer } from "./answer-stream.ts";
import { endOfNotice } from "./chat-answer.ts";
import { createResponse, type ResponseHead } from "./response-answer.ts";

/** Keeps a response that has ended, before anybody is told that it has. */
export type Keep = (response: object) => Promise<void>;

const endOf = (event: AnswerEvent) => {
  if (event.type === "done") return event;
  return event.type === "notice" ? endOfNotice : undefined;
};

/** The whole response of a turn. Throws what the turn failed with. */
export async function wholeResponse(
  events: AsyncIterable<AnswerEvent>,
  head: ResponseHead,
  keep: Keep,
): Promise<object> {
  const response = createResponse(head, () => {});
  for await (const event of events) {
    throwFailure(event);
    response.add(event);
    const end = endOf(event);
    if (end === undefined) continue;
    const whole = response.end(end);
    await keep(whole);
    return whole;
  }
  throw new AppError("internal", "The turn ended without an answer.");
}

/** Answers with the events of a response, numbered from 1 without a gap. A failure is `response.failed`. */
export function streamResponseEvents(
  events: AsyncIterable<AnswerEvent>,
  of: Omit<AnswerStream, "path"> & { readonly head: ResponseHead; readonly keep: Keep },
): Promise<Response> {
  let number = 0;
  let told = "";
  let ended = false;
  const response = createResponse(of.head, ({ type, ...fields }) => {
    told += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: ++number, ...fields })}\n\n`;
  });
  const take = () => {
    const text = told;
    told = "";
    return text;
  };
  const begin = () => {
    if (number === 0) response.begin();
  };
  const writer: AnswerWriter = {
    async write(event) {
      // What only says how it goes on may come before a failure that can still be a status.
      if (event.type === "status" || event.type === "started") {
        // Where a step begins, so does a paragraph.
        response.add(event);
        return "";
      }
      if (event.type === "approval") return `: waiting for a decision on ${event.approvalId}\n\n`;
      begin();
      response.add(event);
      const end = endOf(event);
      if (end !== undefined) {
        const whole = response.end(end);
        await of.keep(whole);
        response.finish(whole);
        ended = true;
      }
      return take();
    },
    fail(error) {
      begin();
      response.fail(error);
      return take();
    },
    ended: () => ended,
  };
  return streamAnswer(events, writer, { ...of, path: "/v1/responses" });
}
