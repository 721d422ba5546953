import { useSignal } from "@preact/signals";
import type { ApprovalItem } from "../conversation.ts";
import type { Decision } from "../line.ts";
import { focusWithoutKeyboard } from "../focus-without-keyboard.ts";
import { Arguments, summary, visible } from "./arguments.tsx";

const outcomes = { approved: "Approved:", denied: "Denied:", closed: "No longer asked:" };

interface Props {
  readonly approval: ApprovalItem;
  /** True for who may decide for ever. */
  readonly operator: boolean;
  decide(approvalId: string, decision: Decision): Promise<void>;
}

/** A question to the person: what exactly would run, and yes or no, with a word to the model. */
export function ApprovalCard({ approval, operator, decide }: Props) {
  const note = useSignal("");
  const { key, name, pattern, reason, state, problem } = approval;
  const args = approval.wholeArgs ?? approval.args;
  if (state !== "open" && state !== "sending") {
    return (
      <p class="decided">
        {outcomes[state]} <code>{name}</code> {summary(args)}
        {problem !== undefined && ` (${problem})`}
      </p>
    );
  }
  function answer(approved: boolean, scope: Decision["scope"] = "once") {
    void decide(key, { approved, note: note.value.trim(), scope });
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
        <button type="button" disabled={state === "sending"} onClick={() => answer(true, "session")}>
          Allow for this session
        </button>
        {operator && (
          <button type="button" disabled={state === "sending"} onClick={() => answer(true, "always")}>
            Always allow
          </button>
        )}
        <button type="button" disabled={state === "sending"} onClick={() => answer(false)}>
          Deny
        </button>
      </div>
      <p class="reach">
        {operator ? "The two in the middle hold" : "The one in the middle holds"} for{" "}
        {pattern === undefined ? (
          "exactly these arguments."
        ) : (
          <>
            <code>
              {name} {visible(pattern)}
            </code>
            , whatever the rest of its arguments is.
          </>
        )}
      </p>
    </section>
  );
}
