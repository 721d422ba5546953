import type { Entry } from "./entry.ts";
import type { CallState, Usage } from "./wire.ts";

export interface UserItem {
  readonly kind: "user";
  /** The id of the message, or of its entry in the history. */
  readonly key: string;
  /** Known once the server has it. */
  readonly turnId?: string;
  readonly text: string;
}

/** What the model says, and what it thinks aloud. */
export interface TextItem {
  readonly kind: "text";
  readonly key: string;
  readonly thought: boolean;
  readonly text: string;
  readonly streaming: boolean;
}

export interface ToolItem {
  readonly kind: "tool";
  readonly key: string;
  readonly callId: string;
  readonly name: string;
  readonly args: string;
  readonly output: string;
  /** `past`: how it ended is not known here (the history keeps only what the model read). */
  readonly state: "running" | "past" | CallState;
  readonly reason?: string;
  readonly startedAt?: number;
  readonly durationMs?: number;
}

export interface ApprovalItem {
  readonly kind: "approval";
  /** The id of the approval. */
  readonly key: string;
  readonly callId: string;
  /** The key of the call's row, where it began while this was still open here. */
  readonly row?: string;
  readonly name: string;
  /** A preview, which may be cut. */
  readonly args: string;
  /** All of it, once it is here. */
  readonly wholeArgs?: string;
  /** What a decision for more than this call is about; absent: exactly these arguments. */
  readonly pattern?: string;
  readonly reason: string;
  /** `closed`: the turn went on or ended without a decision of this page. */
  readonly state: "open" | "sending" | "approved" | "denied" | "closed";
  readonly problem?: string;
}

export interface ErrorItem {
  readonly kind: "error";
  readonly key: string;
  readonly code: string;
  readonly text: string;
}

/** One row of the conversation; its kind and key together are unique in it and stay. */
export type Item = UserItem | TextItem | ToolItem | ApprovalItem | ErrorItem;

/** A message that was written here and whose turn has not begun. */
export interface Waiting {
  readonly messageId: string;
  readonly text: string;
  /** `sending` until it is on the server's disk, then `queued`; `refused` with the reason. */
  readonly state: "sending" | "queued" | "refused";
  readonly problem?: string;
  readonly turnId?: string;
}

export interface Progress {
  readonly code: string;
  readonly text: string;
  readonly step?: number;
  readonly maxSteps?: number;
  /** When the next try begins, by the clock of this page. */
  readonly retryAt?: number;
}

export interface RunningTurn {
  readonly messageId?: string;
  readonly startedAt: number;
  readonly progress?: Progress;
}

/** A turn that the log tells from its beginning, so that the history is not asked for what it did. */
export interface Joined {
  readonly turnId: string;
  readonly messageId: string | undefined;
  /** Where the log stood when the history was read: what other turns did until then is in the history. */
  readonly upTo: number;
  /** Whether its first event was heard. */
  readonly begun: boolean;
}

/** All that the page knows of one session; changed by `reduce` and the functions here, into a new value each time. */
export interface Conversation {
  readonly sessionId: string;
  readonly items: readonly Item[];
  readonly waiting: readonly Waiting[];
  readonly turn?: RunningTurn;
  /** Of the turn that ended last. */
  readonly usage?: Usage;
  /** Where in the session's log this stands; `resume` goes on from here. */
  readonly cursor?: string;
  /** The page of history before the first item, and results whose calls are on it; absent when this is the start. */
  readonly earlier?: { readonly cursor: string; readonly results: readonly Entry[] };
  /** The turn that was under way when the history was read. */
  readonly joins?: Joined;
  /** A turn began whose message is not known here (another window, another door): the history has it. */
  readonly stale: boolean;
  /** Counts the rows made here since the history was read, for their keys. */
  readonly made: number;
}

/** Rows that are added to those of the history before it is read anew. */
const mostMade = 2000;

export const emptyConversation = (sessionId: string): Conversation => ({
  sessionId,
  items: [],
  waiting: [],
  stale: false,
  made: 0,
});

/** True when rows were left out, so that the history has to be read anew before more of it can be shown. */
export const isCut = ({ made }: Conversation) => made > mostMade;

/** Adds a row. A turn of very many rows loses its first ones, and with them the place of the page before. */
export function addItem(chat: Conversation, item: Item): Conversation {
  const longer = { ...chat, items: [...chat.items, item], made: chat.made + 1 };
  if (!isCut(longer)) return longer;
  const { earlier: _, ...rest } = longer;
  return { ...rest, items: longer.items.slice(1) };
}

/** Changes the items of one kind that `which` names; the others stay the same objects, so they are not drawn again. */
export const changeItems = <Kind extends Item["kind"]>(
  chat: Conversation,
  kind: Kind,
  which: (item: Extract<Item, { kind: Kind }>) => boolean,
  change: (item: Extract<Item, { kind: Kind }>) => Item,
): Conversation => {
  const isOne = (item: Item): item is Extract<Item, { kind: Kind }> => item.kind === kind;
  return { ...chat, items: chat.items.map((item) => (isOne(item) && which(item) ? change(item) : item)) };
};

export const changeApproval = (
  chat: Conversation,
  id: string,
  changes: Partial<ApprovalItem>,
): Conversation =>
  changeItems(
    chat,
    "approval",
    (item) => item.key === id,
    (item) => ({ ...item, ...changes }),
  );

export const changeWaiting = (
  chat: Conversation,
  messageId: string,
  changes: Partial<Waiting>,
): Conversation => ({
  ...chat,
  waiting: chat.waiting.map((one) => (one.messageId === messageId ? { ...one, ...changes } : one)),
});
