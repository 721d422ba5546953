import { useSignal } from "@preact/signals";
import type { Branch } from "../branches.ts";
import type { Chat } from "../chat.ts";
import { Fork } from "./icons.tsx";

const when = (time: number) =>
  new Date(time).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });

/** The branches of the open session, looked up when they are asked for. */
export function BranchList({ chat }: { chat: Chat }) {
  const branches = useSignal<readonly Branch[]>([]);

  async function onToggle({ newState }: { readonly newState: string }) {
    if (newState === "open") branches.value = await chat.listBranches();
  }

  async function choose(name: string) {
    document.getElementById("branches")?.hidePopover();
    await chat.restore(name);
  }

  return (
    <>
      <button
        type="button"
        class="quiet fork"
        popovertarget="branches"
        aria-label="Branches"
        title="Branches"
      >
        <Fork />
      </button>
      <div id="branches" popover="auto" onToggle={onToggle}>
        <p class="hint">
          <kbd>/branch name</kbd> names this place, to come back to it.
        </p>
        <ul>
          {branches.value.map(({ name, messages, kept, createdAt }) => (
            <li key={name}>
              <button type="button" title={name} onClick={() => choose(name)}>
                <span>{kept ? `Left ${when(createdAt)}` : name}</span>
                <small>{messages === 1 ? "1 message" : `${messages} messages`}</small>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
