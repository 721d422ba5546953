import type { Chat } from "../chat.ts";
import type { UserItem } from "../conversation.ts";
import { focusWithoutKeyboard } from "../focus-without-keyboard.ts";
import { Pencil } from "./icons.tsx";

/** What a person said. It can be said in other words: the session then goes back to before it. */
export function UserRow({ item: { text, turnId }, edit }: { item: UserItem; edit: Chat["edit"] }) {
  async function again(id: string) {
    await edit(id, text);
    focusWithoutKeyboard(document.getElementById("message"));
  }
  return (
    <div class="user">
      {text}
      {turnId !== undefined && (
        <button
          type="button"
          class="quiet edit"
          onClick={() => again(turnId)}
          aria-label="Say this in other words"
          title="Say this in other words; what followed is kept as a branch"
        >
          <Pencil />
        </button>
      )}
    </div>
  );
}
