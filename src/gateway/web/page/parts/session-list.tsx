import type { Chat } from "../chat.ts";
import { focusWithoutKeyboard } from "../focus-without-keyboard.ts";
import type { Session } from "../sessions.ts";
import { Mark, Plus } from "./icons.tsx";

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** `now`, `2 hours ago`, in the visitor's language. */
function ago(then: number, now: number) {
  const [unit, ms] = units.find(([, length]) => now - then >= length) ?? ["second", 60_000];
  const amount = Math.floor((now - then) / ms);
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" }).format(-amount, unit);
}

/** The sessions of this visitor, the newest first. On narrow screens it slides over the conversation. */
export function SessionList({ chat }: { chat: Chat }) {
  const open = chat.conversation.value.sessionId;
  const known = chat.sessions.value;
  const all: readonly Session[] = known.some(({ id }) => id === open)
    ? known
    : [{ id: open, updatedAt: 0 }, ...known];
  const now = Date.now();

  function choose(id?: string) {
    document.getElementById("sessions")?.hidePopover();
    if (id !== open) chat.openSession(id);
    focusWithoutKeyboard(document.getElementById("message"));
  }

  return (
    <nav id="sessions" popover="auto" aria-label="Sessions">
      <p class="brand">
        <Mark /> openclaw
      </p>
      <button type="button" class="new" onClick={() => choose()}>
        <Plus /> New session
      </button>
      <ul>
        {all.map((session) => (
          <li key={session.id}>
            <button
              type="button"
              aria-current={session.id === open ? "page" : undefined}
              onClick={() => choose(session.id)}
            >
              <span>{session.updatedAt === 0 ? "New session" : chat.titleOf(session)}</span>
              {session.updatedAt > 0 && <small>{ago(session.updatedAt, now)}</small>}
            </button>
          </li>
        ))}
      </ul>
      {chat.loggedIn.value && (
        <button type="button" class="quiet leave" onClick={chat.logOut}>
          Log out
        </button>
      )}
    </nav>
  );
}
