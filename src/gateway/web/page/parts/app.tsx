import type { Chat } from "../chat.ts";
import { ChatView } from "./chat-view.tsx";
import { Login } from "./login.tsx";

/** The whole page, by how far in its visitor is. */
export function App({ chat, toHtml }: { chat: Chat; toHtml: (markdown: string) => string }) {
  switch (chat.phase.value) {
    case "starting":
      return null;
    case "unreachable":
      return (
        <p class="alone" role="status">
          The server cannot be reached. Trying again…
        </p>
      );
    case "login":
      return <Login logIn={chat.logIn} />;
    case "chat":
      return <ChatView chat={chat} toHtml={toHtml} />;
  }
}
