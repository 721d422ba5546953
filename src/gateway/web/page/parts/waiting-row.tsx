import type { Chat } from "../chat.ts";
import type { Waiting } from "../conversation.ts";

/** A message that was written and has not begun: on its way, in the queue, or refused. */
export function WaitingRow({
  message: { messageId, text, state, problem },
  chat,
}: {
  message: Waiting;
  chat: Chat;
}) {
  function sendAgain() {
    chat.discard(messageId);
    chat.send(text);
  }
  return (
    <div class={`user waiting ${state}`}>
      {text}
      {state !== "refused" ? (
        <small>
          {state === "queued" ? "Waits its turn" : chat.online.value ? "Sending…" : "Sent when connected"}
        </small>
      ) : (
        <small role="alert">
          <span class="problem">{problem}</span>
          <button type="button" class="quiet" onClick={sendAgain}>
            Send again
          </button>
          <button type="button" class="quiet" onClick={() => chat.discard(messageId)}>
            Discard
          </button>
        </small>
      )}
    </div>
  );
}
