import type { Signal } from "@preact/signals";
import { ask } from "./ask.ts";
import { Branches, Restored, type Branch } from "./branches.ts";
import {
  type ApprovalItem,
  addItem,
  type Conversation,
  changeApproval,
  changeWaiting,
  emptyConversation,
  type Waiting,
} from "./conversation.ts";
import { byFrame } from "./by-frame.ts";
import { History, prepend, restore, TurnInfo } from "./history.ts";
import type { Outbox, Unsent } from "./outbox.ts";
import { reduce } from "./reduce.ts";
import { uuid } from "./session-id.ts";
import { type Session, SessionPage } from "./sessions.ts";
import { openSocket, type Reply } from "./socket.ts";
import type { Titles } from "./titles.ts";
import { type Envelope, isRefusal, OpenApprovals } from "./wire.ts";

export interface LineParts {
  readonly conversation: Signal<Conversation>;
  readonly sessions: Signal<readonly Session[]>;
  readonly online: Signal<boolean>;
  readonly outbox: Outbox;
  readonly titles: Titles;
  mayReturn(): Promise<boolean>;
  /** Begins anew from the history. */
  reopen(): void;
}

/** What a person answers to a question; the scope says for how long. */
export interface Decision {
  readonly approved: boolean;
  readonly note: string;
  readonly scope: "once" | "session" | "always";
}

/** One session over one connection: what can be said in it. */
export interface Line {
  send(text: string): void;
  /** Takes a refused message out of the row of waiting ones. */
  discard(messageId: string): void;
  stop(): void;
  decide(approvalId: string, decision: Decision): Promise<void>;
  loadEarlier(): Promise<void>;
  /** The branches of the session, the newest first. */
  listBranches(): Promise<readonly Branch[]>;
  /** Goes back to a branch; false when the server refuses, which then stands in the conversation. */
  restore(branch: string): Promise<boolean>;
  /** Goes back to where the session stood before a turn. */
  goBefore(turnId: string): Promise<boolean>;
  probe(): void;
  close(): void;
}

const historyPage = 100;
const sessionsShown = 100;
const branchesShown = 200;
const closedTooBig = 1009;
const betweenReopeningsMs = 1000;

const socketUrl = () => new URL("/ws", location.href).href.replace(/^http/, "ws");

/** What becomes of a question that was answered: one that is not open any more has been decided elsewhere. */
function outcome(reply: Reply, approved: boolean): Partial<ApprovalItem> {
  if (reply.ok) return { state: approved ? "approved" : "denied" };
  return { state: reply.code === "not_found" ? "closed" : "open", problem: reply.message };
}

/** Opens a session: its history, then its log from there on, over as many connections as it takes. */
export function openLine(sessionId: string, parts: LineParts): Line {
  const { conversation, outbox } = parts;
  // A line that takes over the same session starts from the history, whatever cursor the one before had reached.
  let known = false;
  let closed = false;
  /** True when the log is resumed from where an earlier connection broke, which the server may not know any more. */
  let isBack = false;
  const openedAt = performance.now();
  let reopening: ReturnType<typeof setTimeout> | undefined;
  const update = (change: (chat: Conversation) => Conversation) => {
    if (!closed) conversation.value = change(conversation.value);
  };

  /** Whatever a server tells, it is not asked for the history in a circle without a pause. */
  function reopenSoon() {
    const wait = openedAt + betweenReopeningsMs - performance.now();
    reopening ??= setTimeout(parts.reopen, Math.max(0, wait));
  }

  const events = byFrame<Envelope>((told) => {
    if (closed) return;
    const now = Date.now();
    update((chat) => told.reduce((next, event) => reduce(next, event, now), chat));
    for (const { type, inReplyToMessageId: id } of told) {
      if (id !== undefined && (type === "accepted" || type === "error")) outbox.remove(id);
    }
    if (told.some(({ type }) => type === "tool_approval_required")) void completeApprovals();
    if (conversation.value.stale) reopenSoon();
    else if (told.some(({ type }) => type === "typing_stop" || type === "accepted")) void listSessions();
  });

  const socket = openSocket({
    url: socketUrl(),
    onOpen: () => void enter(),
    onEnvelope: (event) => (isBack && isRefusal(event) ? reopenSoon() : events.push(event)),
    onLost(closeCode) {
      parts.online.value = false;
      if (closeCode === closedTooBig) refuseUnsent("The server takes no message of this length.");
      return parts.mayReturn();
    },
  });

  async function enter() {
    if (closed) return;
    // What was heard before the connection broke counts, else it would be told twice.
    events.flush();
    isBack = known;
    if (!known && !(await loadHistory())) return;
    const { cursor } = conversation.value;
    if (cursor !== undefined) socket.send({ type: "resume", sessionId, after: cursor });
    for (const message of outbox.of(sessionId)) post(message);
    // A turn that is told by the log may fill pages.
    if (conversation.value.items.length === 0) void loadEarlier();
    parts.online.value = true;
    await listSessions();
  }

  /** False when it has to be tried again with the next connection. */
  async function loadHistory(): Promise<boolean> {
    const params = { session: sessionId, limit: historyPage };
    const history = await ask(socket, "sessions.history", params, History);
    if (!history.ok && history.code === "unavailable") return false;
    const turn = history.ok ? history.result.turn : undefined;
    const info = turn && (await ask(socket, "turns.get", { turn: turn.id }, TurnInfo));
    if (closed || (info && !info.ok && info.code === "unavailable")) return false;
    known = true;
    if (history.ok)
      update((chat) => restore(chat, history.result, info?.ok ? info.result.messageId : undefined));
    else update((chat) => ({ ...emptyConversation(sessionId), waiting: chat.waiting }));
    if (!history.ok && history.code !== "not_found") showProblem(history);
    update((chat) => ({ ...chat, stale: false, waiting: [...unsent(), ...chat.waiting.filter(isPast)] }));
    const { items, earlier } = conversation.value;
    if (items[0]?.kind === "user" && earlier === undefined) parts.titles.keep(sessionId, items[0].text);
    return true;
  }

  const unsent = () =>
    outbox.of(sessionId).map(({ messageId, text }): Waiting => ({ messageId, text, state: "sending" }));
  const isPast = ({ state }: Waiting) => state !== "sending";

  /** A preview is cut: what is approved must be seen whole. */
  async function completeApprovals() {
    const reply = await ask(socket, "approvals.list", {}, OpenApprovals);
    if (!reply.ok) return;
    for (const { id, argumentsJson } of reply.result.items) {
      update((chat) => changeApproval(chat, id, { wholeArgs: argumentsJson }));
    }
  }

  async function listSessions() {
    const reply = await ask(socket, "sessions.list", { limit: sessionsShown }, SessionPage);
    if (reply.ok && !closed) parts.sessions.value = reply.result.items;
  }

  const showProblem = ({ code, message: text }: { code: string; message: string }) =>
    update((chat) => addItem(chat, { kind: "error", key: `error-${chat.made}`, code, text }));

  const post = ({ messageId, text }: Unsent) =>
    socket.send({ type: "user_message", sessionId, messageId, text });

  function refuseUnsent(problem: string) {
    for (const { messageId } of outbox.of(sessionId)) {
      outbox.remove(messageId);
      update((chat) => changeWaiting(chat, messageId, { state: "refused", problem }));
    }
  }

  /** Loads older pages until one has something to show. */
  async function loadEarlier(): Promise<void> {
    const { earlier } = conversation.value;
    if (earlier === undefined) return;
    const params = { session: sessionId, limit: historyPage, cursor: earlier.cursor };
    const reply = await ask(socket, "sessions.history", params, History);
    if (!reply.ok) return showProblem(reply);
    const chat = conversation.value;
    if (closed || chat.earlier !== earlier) return;
    update(() => prepend(chat, reply.result));
    if (conversation.value.items.length === chat.items.length) await loadEarlier();
  }

  async function goTo(branch: string): Promise<boolean> {
    const reply = await ask(socket, "branches.restore", { session: sessionId, branch }, Restored);
    if (reply.ok) parts.reopen();
    else showProblem(reply);
    return reply.ok;
  }

  return {
    probe: socket.probe,
    send(text) {
      const message = { sessionId, messageId: uuid(), text };
      if (conversation.value.items.length === 0) parts.titles.keep(sessionId, text);
      outbox.add(message);
      update((chat) => ({
        ...chat,
        waiting: [...chat.waiting, { messageId: message.messageId, text, state: "sending" }],
      }));
      if (parts.online.value) post(message);
    },
    discard(messageId) {
      update((chat) => ({ ...chat, waiting: chat.waiting.filter((one) => one.messageId !== messageId) }));
    },
    stop() {
      socket.send({ type: "cancel", sessionId });
    },
    async decide(approvalId, { approved, note, scope }) {
      update((chat) => changeApproval(chat, approvalId, { state: "sending" }));
      const params = { approval: approvalId, approved, scope, ...(note !== "" && { note }) };
      const reply = await socket.request("approvals.decide", params);
      update((chat) => changeApproval(chat, approvalId, outcome(reply, approved)));
    },
    loadEarlier,
    async listBranches() {
      const reply = await ask(
        socket,
        "branches.list",
        { session: sessionId, limit: branchesShown },
        Branches,
      );
      return reply.ok ? reply.result.items : [];
    },
    restore: goTo,
    async goBefore(turnId) {
      const reply = await ask(socket, "turns.get", { turn: turnId }, TurnInfo);
      if (reply.ok && reply.result.before !== undefined) return goTo(reply.result.before);
      const message = "This message is not part of the conversation, so there is no place to go back to.";
      showProblem(reply.ok ? { code: "not_found", message } : reply);
      return false;
    },
    close() {
      closed = true;
      clearTimeout(reopening);
      socket.close();
    },
  };
}
