import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Chat } from "../chat.ts";
import { focusWithoutKeyboard } from "../focus-without-keyboard.ts";
import { Send, Stop } from "./icons.tsx";

/** Safari ends a composition before its Enter arrives, which then has this code. */
const composingKeyCode = 229;

/** Where a message is written: Enter sends, Shift+Enter is a new line. A message sent while a turn runs waits for it. */
export function Composer({ chat }: { chat: Chat }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { draft } = chat;
  const running = chat.conversation.value.turn !== undefined;

  useEffect(() => focusWithoutKeyboard(field.current), []);
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [draft.value]);

  function send() {
    const text = draft.value.trim();
    if (text === "") return;
    chat.send(text);
    draft.value = "";
  }

  function stop() {
    chat.stop();
    // The button goes away, and with it the place of whoever uses the keyboard.
    focusWithoutKeyboard(field.current);
  }

  function onKeyDown(event: KeyboardEvent) {
    const composing = event.isComposing || event.keyCode === composingKeyCode;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label for="message" class="unseen">
        Message
      </label>
      <textarea
        id="message"
        ref={field}
        rows={1}
        placeholder="Message the agent"
        enterkeyhint="send"
        value={draft.value}
        onInput={({ currentTarget }) => {
          draft.value = currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      {running && (
        <button type="button" class="stop" onClick={stop} aria-label="Stop" title="Stop; the session is kept">
          <Stop />
        </button>
      )}
      <button
        type="submit"
        class="primary send"
        disabled={draft.value.trim() === ""}
        aria-label="Send"
        title="Send (Enter)"
      >
        <Send />
      </button>
    </form>
  );
}
