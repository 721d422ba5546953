import { useSignalEffect } from "@preact/signals";
import type { Chat } from "../chat.ts";
import { BranchList } from "./branch-list.tsx";
import { Composer } from "./composer.tsx";
import { Menu } from "./icons.tsx";
import { Messages } from "./messages.tsx";
import { SessionList } from "./session-list.tsx";
import { StatusLine } from "./status-line.tsx";

/** The panes side by side: sessions, and the open conversation. A further pane is a further child here. */
export function ChatView({ chat, toHtml }: { chat: Chat; toHtml: (markdown: string) => string }) {
  const { sessionId, items } = chat.conversation.value;
  const asking = items.find((item) => item.kind === "approval" && item.state === "open");
  const title = chat.titleOf(chat.sessions.value.find(({ id }) => id === sessionId) ?? { id: sessionId });

  useSignalEffect(() => {
    const waits = chat.conversation.value.items.some(
      (item) => item.kind === "approval" && item.state === "open",
    );
    document.title = waits ? "● Approval needed · openclaw" : "openclaw";
  });

  return (
    <div class="panes">
      <SessionList chat={chat} />
      <div class="conversation">
        <header>
          <button type="button" class="quiet menu" popovertarget="sessions" aria-label="Sessions">
            <Menu />
          </button>
          <h1>{items.length === 0 ? "New session" : title}</h1>
          <BranchList chat={chat} />
        </header>
        {!chat.online.value && (
          <p class="banner" role="status">
            Connecting to the server…
          </p>
        )}
        <Messages key={sessionId} chat={chat} toHtml={toHtml} />
        <footer>
          <StatusLine conversation={chat.conversation.value} />
          <Composer key={sessionId} chat={chat} />
        </footer>
        <p class="unseen" role="alert">
          {asking?.kind === "approval" && `The agent asks for your approval to run ${asking.name}.`}
        </p>
      </div>
    </div>
  );
}
