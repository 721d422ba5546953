import { approvalPrompt, errorLine } from "../agent/plain-text.ts";
import type { SessionEvent } from "../turns/turns.ts";

const longestPreview = 800;

/** An event as envelopes of `/ws`: JSON texts, in the order in which they are sent. */
export function toEnvelopes({ sessionId, messageId, cursor, event }: SessionEvent): readonly string[] {
  const place = { sessionId, cursor };
  const reply = { inReplyToMessageId: messageId, ...place };
  const envelope = (type: string, fields: object) => JSON.stringify({ type, ...fields });
  switch (event.type) {
    case "text":
      return [envelope("assistant_chunk", { text: event.text, ...reply })];
    case "reasoning":
      return [envelope("reasoning_chunk", { text: event.text, ...reply })];
    case "status":
      return [JSON.stringify({ ...event, ...reply })];
    case "started":
      return [envelope("typing_start", reply)];
    case "tool_start": {
      const { toolName, callId, argumentsPreview, reason } = event;
      const preview = argumentsPreview.slice(0, longestPreview);
      const fields = { text: toolName, toolName, callId, argumentsPreview: preview, reason };
      return [envelope("tool_start", { ...fields, ...reply })];
    }
    case "tool_chunk":
    case "tool_result":
      return [JSON.stringify({ ...event, ...reply })];
    case "approval": {
      const { type: _, argumentsPreview, ...fields } = event;
      const preview = argumentsPreview.slice(0, longestPreview);
      const text = "Tool approval required.";
      return [envelope("tool_approval_required", { text, ...fields, argumentsPreview: preview, ...reply })];
    }
    case "notice":
      return [envelope("assistant_message", { text: event.text, ...reply }), envelope("typing_stop", reply)];
    case "done": {
      const { usage, finishReason, model } = event;
      return [
        envelope("assistant_done", { usage, finishReason, model, ...reply }),
        envelope("typing_stop", reply),
      ];
    }
    case "failed": {
      const { message: text, code, retryAfterMs } = event;
      return [envelope("error", { text, code, retryAfterMs, ...reply }), envelope("typing_stop", reply)];
    }
  }
}

/** What a connection that speaks plain text is sent of an event; `answer` is the text of the turn so far. */
export function toRawText({ event }: SessionEvent, answer: string): string | undefined {
  switch (event.type) {
    case "approval":
      return approvalPrompt(event);
    case "notice":
      return event.text;
    case "done":
      return answer;
    case "failed":
      return errorLine(event.code, event.message);
    default:
      return undefined;
  }
}
