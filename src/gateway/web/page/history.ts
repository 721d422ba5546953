import * as v from "valibot";
import type { Conversation, Item, ToolItem } from "./conversation.ts";

const Part = v.looseObject({ type: v.string(), text: v.optional(v.string()) });
const Content = v.nullish(v.union([v.string(), v.array(Part)]), "");
const Call = v.object({ id: v.string(), function: v.object({ name: v.string(), arguments: v.string() }) });
const Message = v.object({
  role: v.string(),
  content: Content,
  tool_calls: v.optional(v.array(Call), []),
  tool_call_id: v.optional(v.string()),
});

const Entry = v.object({ id: v.string(), turnId: v.optional(v.string()), message: Message });
type Entry = v.InferOutput<typeof Entry>;

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

const textOf = (content: v.InferOutput<typeof Content>): string =>
  typeof content === "string"
    ? content
    : content
        .map((part) => part.text ?? `[${part.type.replace(/^input_/, "").replace(/_url$/, "")}]`)
        .join("\n");

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

/**
 * The conversation as the server has it. What a running turn did so far is left to the log, which tells it from its
 * beginning; of its entries only the user's message is taken.
 */
export function restore(
  chat: Conversation,
  { items, next, cursor, turn }: History,
  messageId: string | undefined,
): Conversation {
  const told = items.filter(
    (entry) => entry.turnId === undefined || entry.turnId !== turn?.id || entry.message.role === "user",
  );
  const after = turn?.cursor ?? cursor;
  return {
    sessionId: chat.sessionId,
    waiting: chat.waiting,
    made: chat.made,
    items: readHistory(told),
    stale: false,
    ...(turn !== undefined && told.at(-1)?.turnId === turn.id && { joins: { messageId } }),
    ...(after !== undefined && { cursor: after }),
    ...(next !== undefined && { earlier: next }),
  };
}

/** Puts an older page before what is shown. */
export function prepend(chat: Conversation, { items, next }: History): Conversation {
  const { earlier: _, ...rest } = chat;
  return {
    ...rest,
    items: [...readHistory(items), ...chat.items],
    ...(next !== undefined && { earlier: next }),
  };
}
