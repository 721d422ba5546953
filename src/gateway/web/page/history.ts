import * as v from "valibot";
import { type Conversation, emptyConversation, type Item, type ToolItem } from "./conversation.ts";
import { Entry, textOf } from "./entry.ts";

/** A page of `sessions.history`, oldest first, and where the session's log stands. */
export const History = v.object({
  items: v.array(Entry),
  /** Where the page before this one begins. */
  next: v.optional(v.string()),
  cursor: v.optional(v.string()),
  /** The turn that runs or waits first, and the cursor before its first event. */
  turn: v.optional(v.object({ id: v.string(), cursor: v.string() })),
});
export type History = v.InferOutput<typeof History>;

/** What is asked of a turn: whose answer it is, and where the session stood before it. */
export const TurnInfo = v.object({ messageId: v.optional(v.string()), before: v.optional(v.string()) });

function itemsOf({ id, turnId, message }: Entry): Item[] {
  const text = textOf(message.content);
  if (message.role === "user") {
    return [{ kind: "user", key: id, text, ...(turnId !== undefined && { turnId }) }];
  }
  const said: Item[] = text === "" ? [] : [{ kind: "text", key: id, thought: false, text, streaming: false }];
  const calls = message.tool_calls.map(
    ({ id: callId, function: { name, arguments: args } }, index): ToolItem => ({
      kind: "tool",
      key: `${id}-${index}`,
      callId,
      name,
      args,
      output: "",
      state: "past",
    }),
  );
  return [...said, ...calls];
}

/** Rows of stored messages: a result goes into the row of its call, the last one of that id before it. */
export function readHistory(entries: readonly Entry[]): Item[] {
  const items: Item[] = [];
  for (const entry of entries) {
    const { role, content, tool_call_id: callId } = entry.message;
    if (role === "user" || role === "assistant") items.push(...itemsOf(entry));
    if (role !== "tool") continue;
    const row = items.findLastIndex((item) => item.kind === "tool" && item.callId === callId);
    const call = items[row];
    if (call?.kind === "tool") items[row] = { ...call, output: textOf(content) };
  }
  return items;
}

/** Without what `turn` said and did: the log tells that. Results that it was given for calls of an earlier answer are in no log. */
function withoutDoneBy(turn: string | undefined, entries: readonly Entry[]): readonly Entry[] {
  let isTold = false;
  return entries.filter(({ turnId, message: { role } }) => {
    if (role === "assistant") isTold = turn !== undefined && turnId === turn;
    return role === "user" || !isTold;
  });
}

/** The results at the beginning of a page: their calls are at the end of the page before. */
function leadingResults(entries: readonly Entry[]): readonly Entry[] {
  const first = entries.findIndex(({ message }) => message.role !== "tool");
  return first < 0 ? entries : entries.slice(0, first);
}

/** Puts an older page before what is shown. */
export function prepend(chat: Conversation, { items, next }: Pick<History, "items" | "next">): Conversation {
  const { earlier, ...rest } = chat;
  const entries = withoutDoneBy(chat.joins?.turnId, [...items, ...(earlier?.results ?? [])]);
  return {
    ...rest,
    items: [...readHistory(entries), ...chat.items],
    ...(next !== undefined && { earlier: { cursor: next, results: leadingResults(entries) } }),
  };
}

/**
 * The conversation as the server has it. What a turn that is under way did so far is left to the log, which tells it
 * from its beginning; of its entries only the user's message is taken.
 */
export function restore(
  chat: Conversation,
  { cursor, turn, ...page }: History,
  messageId: string | undefined,
): Conversation {
  const after = turn?.cursor ?? cursor;
  const empty: Conversation = {
    ...emptyConversation(chat.sessionId),
    waiting: chat.waiting,
    ...(turn && { joins: { turnId: turn.id, messageId, upTo: Number(cursor ?? 0), begun: false } }),
    ...(after !== undefined && { cursor: after }),
  };
  return prepend(empty, page);
}
