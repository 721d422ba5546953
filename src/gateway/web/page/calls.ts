import { type ApprovalItem, addItem, type Conversation, changeItems, type ToolItem } from "./conversation.ts";
import type { Envelope } from "./wire.ts";

/** Characters of a running tool's output that are kept: its newest. */
const mostOutput = 20_000;

type Of<Type extends Envelope["type"]> = Extract<Envelope, { type: Type }>;

const isUndecided = ({ state }: ApprovalItem) => state === "open" || state === "sending";

/** Adds the row of a call. A question about it that is still open here was answered elsewhere. */
export function startCall(chat: Conversation, event: Of<"tool_start">, now: number): Conversation {
  const { callId = "", toolName: name, argumentsPreview: args, reason } = event;
  const key = `call-${chat.made}`;
  const call: ToolItem = {
    kind: "tool",
    key,
    callId,
    name,
    args,
    output: "",
    state: "running",
    startedAt: now,
    ...(reason !== undefined && { reason }),
  };
  return changeItems(
    addItem(chat, call),
    "approval",
    (item) => isUndecided(item) && item.callId === callId,
    (item) => ({ ...item, state: "closed", row: key }),
  );
}

/** The row of a running call. Ids are not unique: some providers count them anew in each answer. */
const runningCall = (chat: Conversation, callId = ""): string | undefined =>
  chat.items.findLast((item) => item.kind === "tool" && item.callId === callId && item.state === "running")
    ?.key;

/** More output of a call. */
export function growCall(chat: Conversation, { callId, text }: Of<"tool_chunk">): Conversation {
  const key = runningCall(chat, callId);
  return changeItems(
    chat,
    "tool",
    (item) => item.key === key,
    (item) => ({ ...item, output: (item.output + text).slice(-mostOutput) }),
  );
}

/** How a call ended; its start may lie before what this page has heard. */
export function endCall(chat: Conversation, event: Of<"tool_result">, now: number): Conversation {
  const key = runningCall(chat, event.callId);
  if (key === undefined) {
    const start = { ...event, type: "tool_start", argumentsPreview: "" } as const;
    return endCall(startCall(chat, start, now), event, now);
  }
  const { text: output, resultStatus: state, reason, durationMs } = event;
  const ended = changeItems(
    chat,
    "tool",
    (item) => item.key === key,
    (item) => ({
      ...item,
      output,
      state,
      ...(reason !== undefined && { reason }),
      ...(durationMs !== undefined && { durationMs }),
    }),
  );
  if (reason === "expired") return ended;
  return changeItems(
    ended,
    "approval",
    (item) => item.row === key,
    (item) => ({ ...item, state: state === "denied" ? "denied" : "approved" }),
  );
}

/** Adds a question to the person, once. */
export function askApproval(chat: Conversation, event: Of<"tool_approval_required">): Conversation {
  const { approvalId: key, callId = "", toolName: name, argumentsPreview: args, pattern, reason } = event;
  if (chat.items.some((item) => item.kind === "approval" && item.key === key)) return chat;
  const remembers = pattern === undefined ? {} : { pattern };
  return addItem(chat, { kind: "approval", key, callId, name, args, ...remembers, reason, state: "open" });
}

/** With its turn every call and every question has ended. */
export function endCalls(chat: Conversation): Conversation {
  const ended = changeItems(
    chat,
    "tool",
    (item) => item.state === "running",
    (item) => ({ ...item, state: "past" }),
  );
  return changeItems(ended, "approval", isUndecided, (item) => ({ ...item, state: "closed" }));
}
