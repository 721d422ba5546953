import { type ErrorCode, httpStatus } from "../errors.ts";
import { noUsage, readAssistant } from "../llm/message.ts";
import { lastAnswer } from "../store/entries.ts";
import * as events from "../store/events.ts";
import type { Store } from "../store/open.ts";
import type { TurnRow } from "../store/turns.ts";
import type { LoggedEvent, SessionEvent } from "./turns.ts";

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(httpStatus, code);

/** How the turn ended, and what the model said last in it. */
async function readEnd(store: Store, row: TurnRow): Promise<LoggedEvent[]> {
  const message = await store.read((tx) => lastAnswer(tx, row.sessionId, row.id));
  const { text = "", calls = [] } = message === undefined ? {} : readAssistant(message);
  const said: LoggedEvent[] = text === "" ? [] : [{ type: "text", text }];
  if (row.state !== "done") {
    const { errorCode = "internal", errorMessage = "" } = row;
    const code = isErrorCode(errorCode) ? errorCode : "internal";
    return [...said, { type: "failed", code, message: errorMessage }];
  }
  // The answer of a command stood in its events alone.
  if (message === undefined)
    return [{ type: "notice", text: "This was answered; the answer is not kept any more." }];
  const { inputTokens, outputTokens } = row;
  const usage = { ...noUsage, inputTokens, outputTokens };
  const finishReason = calls.length > 0 ? "tool_calls" : "stop";
  return [...said, { type: "done", finishReason, usage, model: "", clientCalls: calls }];
}

/** What a turn came to, for who asks again when its events have had their time; undefined while they are kept. */
export async function answerWithoutEvents(store: Store, row: TurnRow): Promise<SessionEvent[] | undefined> {
  if (row.endedAt === undefined) return undefined;
  const oldest = await store.read((tx) => events.oldest(tx, row.sessionId));
  if (oldest !== undefined && oldest <= row.firstEvent + 1) return undefined;
  const { sessionId, id: turnId, messageId, firstEvent } = row;
  const name = { sessionId, turnId, ...(messageId !== undefined && { messageId }), cursor: `${firstEvent}` };
  return (await readEnd(store, row)).map((event) => ({ ...name, event }));
}
