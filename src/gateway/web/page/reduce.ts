import { askApproval, endCall, endCalls, growCall, startCall } from "./calls.ts";
import {
  addItem,
  type Conversation,
  changeItems,
  changeWaiting,
  isCut,
  type RunningTurn,
  type TextItem,
  type UserItem,
} from "./conversation.ts";
import type { Envelope } from "./wire.ts";

type Of<Type extends Envelope["type"]> = Extract<Envelope, { type: Type }>;

function replaceLast(chat: Conversation, item: TextItem): Conversation {
  return { ...chat, items: [...chat.items.slice(0, -1), item] };
}

/** Ends the text that grows: what is said next is a new row. */
function settle(chat: Conversation): Conversation {
  const last = chat.items.at(-1);
  return last?.kind === "text" && last.streaming ? replaceLast(chat, { ...last, streaming: false }) : chat;
}

function say(chat: Conversation, text: string, thought: boolean): Conversation {
  const last = chat.items.at(-1);
  if (last?.kind === "text" && last.streaming && last.thought === thought) {
    return replaceLast(chat, { ...last, text: last.text + text });
  }
  return addItem(settle(chat), { kind: "text", key: `said-${chat.made}`, thought, text, streaming: true });
}

/** A step that begins again tells its text from the start: what was said since the last call or message goes. */
function unsay(chat: Conversation): Conversation {
  const first = chat.items.findLastIndex((item) => item.kind !== "text") + 1;
  return { ...chat, items: chat.items.slice(0, first) };
}

/** Whether a turn that begins is the one that the history named. Where it began behind the history its message may be missing. */
function isJoined({ joins, items }: Conversation, { inReplyToMessageId: id, cursor }: Envelope) {
  if (joins === undefined || joins.begun || joins.messageId !== id) return false;
  const { turnId, upTo } = joins;
  return Number(cursor) <= upTo || items.some((item) => item.kind === "user" && item.turnId === turnId);
}

/** The first event of a turn: its message leaves the queue and becomes a row, or is found among the rows. */
function begin(chat: Conversation, event: Envelope, now: number): Conversation {
  const { inReplyToMessageId: messageId } = event;
  // A slash command is answered beside a turn that runs, which stays the one that is shown as running.
  const turn: RunningTurn = chat.turn ?? { startedAt: now, ...(messageId !== undefined && { messageId }) };
  const written = chat.waiting.find((one) => one.messageId === messageId);
  const waiting = chat.waiting.filter((one) => one !== written);
  if (chat.joins && isJoined(chat, event)) {
    return { ...chat, joins: { ...chat.joins, begun: true }, waiting, turn };
  }
  if (written) {
    const { messageId: key, text, turnId } = written;
    const item: UserItem = { kind: "user", key, text, ...(turnId !== undefined && { turnId }) };
    return addItem({ ...settle(chat), waiting, turn }, item);
  }
  const last = chat.items.findLastIndex((item) => item.kind === "user");
  // The turn is told again from its beginning, because its message was sent again after a lost connection.
  if (messageId !== undefined && chat.items[last]?.key === messageId) {
    return { ...chat, items: chat.items.slice(0, last + 1), turn };
  }
  return { ...chat, stale: true, turn };
}

/** The message is on disk. One that is in the history already had been sent before: its turn is told again. */
function accept(chat: Conversation, { inReplyToMessageId: key, turnId }: Of<"accepted">): Conversation {
  if (key === undefined) return chat;
  const isIt = (item: UserItem) => turnId !== undefined && item.turnId === turnId;
  if (!chat.items.some((item) => item.kind === "user" && isIt(item))) {
    return changeWaiting(chat, key, { state: "queued", ...(turnId !== undefined && { turnId }) });
  }
  const waiting = chat.waiting.filter((one) => one.messageId !== key);
  return changeItems({ ...chat, waiting }, "user", isIt, (item) => ({ ...item, key }));
}

/** Sees to it that a turn runs: after a reload the first event heard may be from the middle of one. */
function inTurn(chat: Conversation, event: Envelope, now: number): Conversation {
  const { inReplyToMessageId: messageId } = event;
  if (chat.waiting.some((one) => one.messageId === messageId)) return begin(chat, event, now);
  return chat.turn
    ? chat
    : { ...chat, turn: { startedAt: now, ...(messageId !== undefined && { messageId }) } };
}

const isBesideTurn = ({ turn }: Conversation, messageId: string | undefined) =>
  turn?.messageId !== undefined && messageId !== undefined && turn.messageId !== messageId;

function end(chat: Conversation, messageId: string | undefined): Conversation {
  if (isBesideTurn(chat, messageId)) return chat;
  const { turn: _, ...rest } = settle(chat);
  return endCalls({ ...rest, stale: rest.stale || isCut(rest) });
}

function fail(chat: Conversation, event: Of<"error">): Conversation {
  const { inReplyToMessageId: messageId, sessionId, code, text } = event;
  if (messageId !== undefined && chat.waiting.some((one) => one.messageId === messageId)) {
    return changeWaiting(chat, messageId, { state: "refused", problem: text });
  }
  // One that names no session is about the connection; turns go on.
  const ended = sessionId === undefined ? chat : end(chat, messageId);
  return addItem(ended, { kind: "error", key: `error-${chat.made}`, code, text });
}

function report(chat: Conversation, event: Of<"status">, now: number): Conversation {
  const { code, text, step, maxSteps, retryInMs } = event;
  const { turn } = chat;
  if (!turn) return chat;
  const progress = {
    code,
    text,
    ...(step !== undefined && { step }),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(retryInMs !== undefined && { retryAt: now + retryInMs }),
  };
  const told = { ...chat, turn: { ...turn, progress } };
  return code === "restarted" ? unsay(told) : code === "step" ? settle(told) : told;
}

function step(chat: Conversation, event: Envelope, now: number): Conversation {
  switch (event.type) {
    case "accepted":
      return accept(chat, event);
    case "typing_start":
      return begin(chat, event, now);
    case "typing_stop":
      return end(chat, event.inReplyToMessageId);
    case "assistant_chunk":
      return say(inTurn(chat, event, now), event.text, false);
    case "reasoning_chunk":
      return say(inTurn(chat, event, now), event.text, true);
    case "assistant_message":
      return end(settle(say(settle(inTurn(chat, event, now)), event.text, false)), event.inReplyToMessageId);
    case "assistant_done": {
      const ended = end(chat, event.inReplyToMessageId);
      return event.usage ? { ...ended, usage: event.usage } : ended;
    }
    case "status":
      return event.code === "queued" ? chat : report(inTurn(chat, event, now), event, now);
    case "tool_start":
      return startCall(settle(inTurn(chat, event, now)), event, now);
    case "tool_chunk":
      return growCall(inTurn(chat, event, now), event);
    case "tool_result":
      return endCall(settle(inTurn(chat, event, now)), event, now);
    case "tool_approval_required":
      return askApproval(settle(inTurn(chat, event, now)), event);
    case "error":
      return fail(chat, event);
  }
}

/** Events that rows are not made of here, because the history has what they tell. */
function isInHistory(
  { joins, stale, waiting }: Conversation,
  { type, inReplyToMessageId: id, cursor }: Envelope,
) {
  // What was written here and has no row yet is heard of in any case.
  if (type === "accepted" || waiting.some(({ messageId }) => messageId === id)) return false;
  // A turn whose message is not known here: an answer is not shown before its question.
  if (stale) return true;
  // The log is told from where the joined turn began: others may still have been running, or were answered beside it.
  return joins !== undefined && joins.messageId !== id && Number(cursor) <= joins.upTo;
}

/** What the conversation is after one event of the server; `now` is the page's clock in milliseconds. */
export function reduce(chat: Conversation, event: Envelope, now: number): Conversation {
  if (event.sessionId !== undefined && event.sessionId !== chat.sessionId) return chat;
  const next = isInHistory(chat, event) ? chat : step(chat, event, now);
  return event.cursor === undefined ? next : { ...next, cursor: event.cursor };
}
