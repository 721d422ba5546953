import { useMemo } from "preact/hooks";
import type { TextItem } from "../conversation.ts";

/** The code of the block whose copy button was pressed. */
function copyCode({ target }: Event) {
  if (!(target instanceof HTMLButtonElement) || !target.classList.contains("copy")) return;
  const code = target.closest(".code")?.querySelector("pre")?.textContent ?? "";
  const say = (word: string) => {
    target.textContent = word;
  };
  // Pages over plain HTTP on a network have no clipboard.
  void Promise.resolve(
    navigator.clipboard?.writeText(code) ?? Promise.reject(new Error("no clipboard")),
  ).then(
    () => say("Copied"),
    () => say("Select it by hand"),
  );
}

/** What the model says, as formatted text; what it thinks aloud, folded away once it is done. */
export function Said({ item, toHtml }: { item: TextItem; toHtml: (markdown: string) => string }) {
  const html = useMemo(() => ({ __html: toHtml(item.text) }), [item.text, toHtml]);
  const text = <div class="markdown" onClick={copyCode} dangerouslySetInnerHTML={html} />;
  if (!item.thought) return <div class={item.streaming ? "said streaming" : "said"}>{text}</div>;
  return (
    <details class="thought" open={item.streaming}>
      <summary>{item.streaming ? "Thinking…" : "Thought"}</summary>
      {text}
    </details>
  );
}
