import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Access, askAccess, isIn, type LoginResult, logIn, logOut, takeToken } from "./access.ts";
import { type Conversation, emptyConversation } from "./conversation.ts";
import { createOutbox } from "./outbox.ts";
import { keepSessionId, newSessionId, readSessionId } from "./session-id.ts";
import type { Session } from "./sessions.ts";
import { createTitles } from "./titles.ts";
import { type Line, openLine } from "./line.ts";

export type Phase = "starting" | "unreachable" | "login" | "chat";

/** The state of the page, and what a person can do: its parts read the signals and call the rest. */
export interface Chat extends Omit<Line, "probe" | "close" | "goBefore"> {
  readonly phase: ReadonlySignal<Phase>;
  /** True while the server can be spoken to. */
  readonly online: ReadonlySignal<boolean>;
  readonly conversation: ReadonlySignal<Conversation>;
  readonly sessions: ReadonlySignal<readonly Session[]>;
  /** What is being written and not sent. */
  readonly draft: Signal<string>;
  /** True when this browser came in with a token, so that there is something to log out of. */
  readonly loggedIn: ReadonlySignal<boolean>;
  /** True for the operator, whose decisions may hold for ever. */
  readonly operator: ReadonlySignal<boolean>;
  titleOf(session: Pick<Session, "id" | "title">): string;
  start(): Promise<void>;
  logIn(token: string): Promise<LoginResult>;
  logOut(): Promise<void>;
  /** Without an id: a new session. */
  openSession(id?: string): void;
  /** Goes back to before a message and writes it anew: what followed it is kept as a branch. */
  edit(turnId: string, text: string): Promise<void>;
}

const unreachableWaitMs = 2000;
/** Says that there is a cookie, which itself is hidden from scripts. */
const flag = "openclaw.logged-in";

export function createChat(): Chat {
  const phase = signal<Phase>("starting");
  const online = signal(false);
  const conversation = signal(emptyConversation(""));
  const sessions = signal<readonly Session[]>([]);
  const draft = signal("");
  const loggedIn = signal(localStorage.getItem(flag) !== null);
  const operator = signal(false);
  const outbox = createOutbox(sessionStorage);
  const titles = createTitles(localStorage);
  let line: Line | undefined;

  /** Whether a lost connection is worth trying again; not when the cookie has run out. */
  async function mayReturn() {
    const isOut = (await askAccess()) === "login";
    if (isOut) phase.value = "login";
    return !isOut;
  }

  function openSession(id = newSessionId()) {
    keepSessionId(id, localStorage);
    line?.close();
    batch(() => {
      online.value = false;
      // The rows of the session that is open already stay until its history is there, so that nothing flickers.
      if (conversation.value.sessionId === id) return;
      conversation.value = emptyConversation(id);
      draft.value = "";
    });
    line = openLine(id, {
      conversation,
      sessions,
      online,
      outbox,
      titles,
      mayReturn,
      reopen: () => openSession(id),
    });
  }

  function enter(access: Access) {
    operator.value = access === "operator";
    phase.value = "chat";
    openSession(readSessionId(location.hash, localStorage));
  }

  async function tradeToken(token: string): Promise<LoginResult> {
    const result = await logIn(token);
    if (!result.ok) return result;
    const access = await askAccess();
    if (!isIn(access)) {
      return {
        ok: false,
        problem: "This browser did not keep the login cookie. Allow cookies for this page.",
      };
    }
    localStorage.setItem(flag, "yes");
    loggedIn.value = true;
    enter(access);
    return result;
  }

  async function start() {
    const token = takeToken();
    const access = await askAccess();
    if (access === "login" && token !== undefined && (await tradeToken(token)).ok) return;
    if (isIn(access)) return enter(access);
    phase.value = access === "login" ? "login" : "unreachable";
    if (access === "unreachable") setTimeout(start, unreachableWaitMs);
  }

  addEventListener("hashchange", () => {
    const token = takeToken();
    if (token !== undefined && phase.value === "login") return void tradeToken(token);
    const id = readSessionId(location.hash, localStorage);
    if (phase.value === "chat" && id !== conversation.value.sessionId) openSession(id);
  });
  addEventListener("online", () => line?.probe());
  document.addEventListener("visibilitychange", () => document.hidden || line?.probe());

  return {
    phase,
    online,
    conversation,
    sessions,
    draft,
    loggedIn,
    operator,
    titleOf: titles.of,
    start,
    openSession,
    send: (text) => line?.send(text),
    discard: (messageId) => line?.discard(messageId),
    stop: () => line?.stop(),
    decide: async (approvalId, decision) => line?.decide(approvalId, decision),
    loadEarlier: async () => line?.loadEarlier(),
    listBranches: async () => (await line?.listBranches()) ?? [],
    restore: async (branch) => (await line?.restore(branch)) ?? false,
    async edit(turnId, text) {
      if (await line?.goBefore(turnId)) draft.value = text;
    },
    logIn: tradeToken,
    async logOut() {
      line?.close();
      await logOut();
      // Whoever comes next at this browser finds nothing of this visit: no titles, no unsent words, no rows in memory.
      sessionStorage.clear();
      localStorage.clear();
      location.replace("/chat");
    },
  };
}
