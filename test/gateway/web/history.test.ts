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
    { type: "assistant_chunk", text: "rst", inReplyToMessageId: "m1", cursor: "4.3" },
    { type: "typing_stop", inReplyToMessageId: "m1", cursor: "5" },
    { type: "typing_start", inReplyToMessageId: "m2", cursor: "5.1" },
    // Answered beside it before the history was read; then the next turn, which no history has.
    { type: "typing_start", inReplyToMessageId: "command", cursor: "6" },
    { type: "assistant_message", text: "all is well", inReplyToMessageId: "command", cursor: "7" },
    { type: "assistant_chunk", text: "so far and on", inReplyToMessageId: "m2", cursor: "10" },
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

test("prepend leaves out what a running turn did, whose events tell it, and finds its message", () => {
  const page = { items: [entry("4", answer("c1", "noon"), "t2")], next: "4", cursor: "9" };
  const chat = restore(emptyConversation("s"), { ...page, turn: { id: "t2", cursor: "2" } }, "m2");
  expect(chat.items).toEqual([]);
  const told = reduce(chat, { type: "typing_start", inReplyToMessageId: "m2", cursor: "3" }, 0);
  expect(told.stale).toBeFalse();
  const items = [
    entry("1", { content: "one" }),
    entry("2", { content: "two" }, "t2"),
    entry("3", calls("c1"), "t2"),
  ];
  expect(prepend(told, { items }).items.map(({ key }) => key)).toEqual(["1", "2"]);
});

test("restore joins a turn that has no message in the history, with results for calls of an earlier answer", () => {
  const items = [
    entry("1", { content: "one" }),
    entry("2", calls("c1")),
    entry("3", answer("c1", "noon"), "t2"),
  ];
  const history = { items, cursor: "9", turn: { id: "t2", cursor: "4" } };
  const restored = restore(emptyConversation("s"), history, undefined);
  const chat = reduce(restored, { type: "typing_start", cursor: "5" }, 0);
  expect(chat).toMatchObject({ stale: false, items: [{ text: "one" }, { output: "noon" }] });
  // The next one, of which nothing is known.
  expect(reduce(chat, { type: "typing_start", cursor: "12" }, 0).stale).toBeTrue();
});

test("restore asks again for the history when the turn that it joins began behind it", () => {
  const history = { items: [entry("1", { content: "one" })], cursor: "9", turn: { id: "t2", cursor: "4" } };
  const restored = restore(emptyConversation("s"), history, "m2");
  const start = { type: "typing_start", inReplyToMessageId: "m2" } as const;
  expect(reduce(restored, { ...start, cursor: "9.1" }, 0).stale).toBeTrue();
  expect(reduce(restored, { ...start, cursor: "9" }, 0).stale).toBeFalse();
});

test("prepend hands results to the calls on the page before", () => {
  const newest = { items: [entry("3", answer("b", "two")), entry("4", { content: "thanks" })], next: "2" };
  const middle = { items: [entry("2", answer("a", "one"))], next: "1" };
  const chat = prepend(restore(emptyConversation("s"), newest, undefined), middle);
  const whole = prepend(chat, { items: [entry("1", calls("a", "b"))] });
  expect(whole.items).toMatchObject([{ output: "one" }, { output: "two" }, { text: "thanks" }]);
});

test("rows that were left out are no gap: the history is read anew before more of it is shown", () => {
  const page = { items: [entry("2", { content: "b" })], next: "1", cursor: "1" };
  const error = { type: "error", code: "busy", text: "Busy." } as const;
  let chat = restore(emptyConversation("s"), page, undefined);
  for (let n = 0; n < 2000; n++) chat = reduce(chat, error, 0);
  expect([chat.items.length, chat.earlier?.cursor]).toEqual([2001, "1"]);
  chat = reduce(chat, error, 0);
  expect([chat.items.length, chat.earlier, chat.stale]).toEqual([2001, undefined, false]);
  expect(reduce(chat, { type: "typing_stop" }, 0).stale).toBeTrue();
  expect(restore(chat, page, undefined)).toMatchObject({ stale: false, made: 0, earlier: { cursor: "1" } });
});
