import { expect, test } from "bun:test";
import * as v from "valibot";
import { emptyConversation } from "../../../src/gateway/web/page/conversation.ts";
import { History, prepend, readHistory, restore } from "../../../src/gateway/web/page/history.ts";
import { reduce } from "../../../src/gateway/web/page/reduce.ts";

const entry = (id: string, message: object, turnId = "t1") =>
  v.parse(History.entries.items.item, { id, turnId, message: { role: "user", ...message } });
const calls = (...ids: string[]) => ({
  role: "assistant",
  content: null,
  tool_calls: ids.map((id) => ({ id, function: { name: "time", arguments: "{}" } })),
});
const answer = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });

test("readHistory puts each result into the row of its call, also when ids repeat", () => {
  const items = readHistory([
    entry("1", { content: "hi" }),
    entry("2", calls("call_0", "call_1")),
    entry("3", answer("call_1", "b")),
    entry("4", answer("call_0", "a")),
    entry("5", calls("call_0")),
    entry("6", answer("call_0", "c")),
    entry("7", { role: "assistant", content: "done" }),
  ]);
  expect(items.map((item) => (item.kind === "tool" ? item.output : item.kind))).toEqual([
    "user",
    "a",
    "b",
    "c",
    "text",
  ]);
});

test("readHistory shows the text of content parts and names the rest", () => {
  const content = [{ type: "text", text: "look" }, { type: "image_url" }];
  expect(readHistory([entry("1", { content })])).toMatchObject([{ kind: "user", text: "look\n[image]" }]);
});

test("restore leaves the running turn to its events and skips the end of the one before", () => {
  const items = [
    entry("1", { content: "one" }, "t1"),
    entry("2", { role: "assistant", content: "first" }, "t1"),
    entry("3", { content: "two" }, "t2"),
    entry("4", { role: "assistant", content: "so far" }, "t2"),
  ];
  const history = { items, cursor: "9", turn: { id: "t2", cursor: "4" } };
  const restored = restore(emptyConversation("s"), history, "m2");
  expect(restored.cursor).toBe("4");
  const told = [
    { type: "assistant_chunk", text: "rst", inReplyToMessageId: "m1" },
    { type: "typing_stop", inReplyToMessageId: "m1" },
    { type: "typing_start", inReplyToMessageId: "m2" },
    { type: "assistant_chunk", text: "so far and on", inReplyToMessageId: "m2" },
  ] as const;
  const chat = told.reduce((next, event) => reduce(next, event, 0), restored);
  expect(chat.items.map((item) => "text" in item && item.text)).toEqual([
    "one",
    "first",
    "two",
    "so far and on",
  ]);
  expect(chat.stale).toBeFalse();
});

test("restore and accepted bring a message that was sent again together with its row", () => {
  const waiting = [{ messageId: "m1", text: "one", state: "sending" as const }];
  const items = [entry("1", { content: "one" }), entry("2", { role: "assistant", content: "first" })];
  const restored = restore({ ...emptyConversation("s"), waiting }, { items, cursor: "9" }, undefined);
  const chat = reduce(restored, { type: "accepted", inReplyToMessageId: "m1", turnId: "t1" }, 0);
  expect(chat.waiting).toEqual([]);
  const again = reduce(chat, { type: "typing_start", inReplyToMessageId: "m1" }, 0);
  expect(again.items).toMatchObject([{ kind: "user", key: "m1", text: "one" }]);
});

test("prepend puts older rows first and forgets where they began at the start", () => {
  const chat = restore(
    emptyConversation("s"),
    { items: [entry("2", { content: "b" })], next: "2", cursor: "1" },
    undefined,
  );
  const whole = prepend(chat, { items: [entry("1", { content: "a" })] });
  expect(whole.items.map(({ key }) => key)).toEqual(["1", "2"]);
  expect(whole.earlier).toBeUndefined();
});
