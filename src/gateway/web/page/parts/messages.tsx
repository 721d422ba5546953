import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Chat } from "../chat.ts";
import type { Item } from "../conversation.ts";
import { ApprovalCard } from "./approval-card.tsx";
import { ErrorRow } from "./error-row.tsx";
import { Down } from "./icons.tsx";
import { Said } from "./said.tsx";
import { ToolCard } from "./tool-card.tsx";
import { UserRow } from "./user-row.tsx";
import { WaitingRow } from "./waiting-row.tsx";

interface Parts {
  readonly chat: Chat;
  readonly toHtml: (markdown: string) => string;
}

/** Pixels from the end within which a reader counts as reading along. */
const nearEnd = 48;

function draw(item: Item, { chat, toHtml }: Parts) {
  switch (item.kind) {
    case "user":
      return <UserRow item={item} edit={chat.edit} />;
    case "text":
      return <Said item={item} toHtml={toHtml} />;
    case "tool":
      return <ToolCard call={item} />;
    case "approval":
      return <ApprovalCard approval={item} operator={chat.operator.value} decide={chat.decide} />;
    case "error":
      return <ErrorRow error={item} />;
  }
}

/** Draws again only when its item is another object: in a long conversation one row changes at a time. */
const Row = ({ item, parts }: { item: Item; parts: Parts }) =>
  useMemo(() => draw(item, parts), [item, parts]);

/** The conversation, which follows its end as long as the reader is there. */
export function Messages({ chat, toHtml }: Parts) {
  const { items, waiting, turn, earlier } = chat.conversation.value;
  const parts = useMemo(() => ({ chat, toHtml }), [chat, toHtml]);
  const scroller = useRef<HTMLElement>(null);
  const following = useSignal(true);

  useEffect(() => {
    const box = scroller.current;
    const log = box?.firstElementChild;
    if (!box || !log) return;
    // Hears of every change: new text, a card that folds, a turned phone.
    const sizes = new ResizeObserver(() => {
      if (following.peek()) box.scrollTop = box.scrollHeight;
    });
    sizes.observe(box);
    sizes.observe(log);
    return () => sizes.disconnect();
  }, [following]);

  function onScroll({ currentTarget: box }: { currentTarget: HTMLElement }) {
    following.value = box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
  }

  /** Who unfolds a card wants to see it: it must not move away because the log grew. */
  function onClick({ target }: MouseEvent) {
    if (target instanceof Element && target.closest("summary")) following.value = false;
  }

  function toEnd() {
    following.value = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }

  return (
    <main class="scroller" ref={scroller} onScroll={onScroll} tabIndex={-1}>
      <div class="log" role="log" aria-label="Conversation" aria-busy={turn !== undefined} onClick={onClick}>
        {earlier !== undefined && (
          <button type="button" class="quiet earlier" onClick={chat.loadEarlier}>
            Show earlier messages
          </button>
        )}
        {items.length + waiting.length === 0 && <Welcome />}
        {items.map((item) => (
          <Row key={`${item.kind} ${item.key}`} item={item} parts={parts} />
        ))}
        {waiting.map((one) => (
          <WaitingRow key={one.messageId} message={one} chat={chat} />
        ))}
      </div>
      {!following.value && (
        <button type="button" class="to-end" onClick={toEnd} aria-label="Go to the newest message">
          <Down />
        </button>
      )}
    </main>
  );
}

const Welcome = () => (
  <div class="welcome">
    <h2>What should the agent do?</h2>
    <p>
      It works in its workspace, shows each tool while it runs, and asks you where its settings say so.{" "}
      <kbd>/help</kbd> lists what it takes besides plain words.
    </p>
  </div>
);
