import { useSignal } from "@preact/signals";
import type { ApprovalItem } from "../conversation.ts";
import { focusWithoutKeyboard } from "../focus-without-keyboard.ts";
import { Arguments, summary } from "./arguments.tsx";

const outcomes = { approved: "Approved:", denied: "Denied:", closed: "No longer asked:" };

interface Props {
  readonly approval: ApprovalItem;
  decide(approvalId: string, approved: boolean, note: string): Promise<void>;
}

/** A question to the person: what exactly would run, and yes or no, with a word to the model. */
export function ApprovalCard({ approval, decide }: Props) {
  const note = useSignal("");
  const { key, name, reason, state, problem } = approval;
  const args = approval.wholeArgs ?? approval.args;
  if (state !== "open" && state !== "sending") {
    return (
      <p class="decided">
        {outcomes[state]} <code>{name}</code> {summary(args)}
        {problem !== undefined && ` (${problem})`}
      </p>
    );
  }
  function answer(approved: boolean) {
    void decide(key, approved, note.value.trim());
    focusWithoutKeyboard(document.getElementById("message"));
  }
  return (
    <section class="approval" aria-labelledby={`${key}-title`}>
      <h2 id={`${key}-title`}>
        May the agent run <code>{name}</code>?
      </h2>
      {reason !== "" && <p class="reason">{reason}</p>}
      <Arguments text={args} />
      <label for={`${key}-note`}>Note to the model, optional</label>
      <input
        id={`${key}-note`}
        type="text"
        maxLength={1000}
        autocomplete="off"
        placeholder="Why not, or what to do instead"
        value={note.value}
        onInput={({ currentTarget }) => {
          note.value = currentTarget.value;
        }}
      />
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="choices">
        <button type="button" class="primary" disabled={state === "sending"} onClick={() => answer(true)}>
          Approve
        </button>
        <button type="button" disabled={state === "sending"} onClick={() => answer(false)}>
          Deny
        </button>
      </div>
    </section>
  );
}
