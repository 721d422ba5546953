import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { type Conversation, emptyConversation } from "../../../src/gateway/web/page/conversation.ts";
import { reduce } from "../../../src/gateway/web/page/reduce.ts";
import { Envelope } from "../../../src/gateway/web/page/wire.ts";

const sent = (...ids: string[]): Conversation => ({
  ...emptyConversation("s"),
  waiting: ids.map((messageId) => ({ messageId, text: `text of ${messageId}`, state: "sending" })),
});

/** Events as they come off the wire, of message `m1` unless they say otherwise. */
function after(chat: Conversation, ...events: object[]): Conversation {
  const told = events.map((event) =>
    v.parse(Envelope, { sessionId: "s", inReplyToMessageId: "m1", ...event }),
  );
  return told.reduce((next, event) => reduce(next, event, 1000), chat);
}

const rows = ({ items }: Conversation) =>
  items.map((item) => {
    if (item.kind === "tool" || item.kind === "approval") return `${item.kind} ${item.name} ${item.state}`;
    return item.kind === "text"
      ? `${item.thought ? "thinks" : "says"} ${item.text}`
      : `${item.kind} ${item.text}`;
  });

const start = { type: "typing_start" };
const stop = { type: "typing_stop" };
const chunk = (text: string) => ({ type: "assistant_chunk", text });
const call = { toolName: "write_file", callId: "call_0", argumentsPreview: '{"path":"a"}' };
const ask = { type: "tool_approval_required", approvalId: "apr_1", ...call };
const result = (resultStatus: string, fields: object = {}) => ({
  type: "tool_result",
  ...call,
  text: "out",
  resultStatus,
  ...fields,
});

test("reduce tells a turn from its message to its usage", () => {
  const chat = after(
    sent("m1"),
    { type: "accepted", cursor: "1" },
    start,
    { type: "status", code: "step", step: 1, maxSteps: 25, text: "step 1 of at most 25" },
    chunk("Hel"),
    chunk("lo"),
    { type: "assistant_done", usage: { inputTokens: 3, outputTokens: 2 }, cursor: "2" },
    { ...stop, cursor: "3" },
  );
  expect(rows(chat)).toEqual(["user text of m1", "says Hello"]);
  expect(chat).toMatchObject({ waiting: [], cursor: "3", usage: { inputTokens: 3, outputTokens: 2 } });
  expect(chat.turn).toBeUndefined();
});

test("reduce keeps rows that did not change as the same objects", () => {
  const before = after(
    sent("m1"),
    start,
    chunk("a"),
    { type: "tool_start", ...call },
    result("ok"),
    chunk("b"),
  );
  const grown = after(before, chunk("c"));
  expect(grown.items.slice(0, -1).every((item, index) => item === before.items[index])).toBeTrue();
  expect(grown.items.at(-1)).not.toBe(before.items.at(-1));
});

test("reduce keeps a second message waiting until its own turn begins", () => {
  const running = after(
    sent("m1", "m2"),
    start,
    chunk("one"),
    { type: "accepted", inReplyToMessageId: "m2" },
    chunk(" more"),
  );
  expect(rows(running)).toEqual(["user text of m1", "says one more"]);
  expect(running.waiting).toMatchObject([{ messageId: "m2", state: "queued" }]);
  const next = after(running, stop, { ...start, inReplyToMessageId: "m2" });
  expect(rows(next)).toEqual(["user text of m1", "says one more", "user text of m2"]);
});

test("reduce refuses a waiting message with the reason and leaves the running turn alone", () => {
  const chat = after(sent("m1", "m2"), start, chunk("one"), {
    type: "error",
    code: "busy",
    text: "Busy.",
    inReplyToMessageId: "m2",
  });
  expect(chat.waiting).toMatchObject([{ messageId: "m2", state: "refused", problem: "Busy." }]);
  expect(chat.turn?.messageId).toBe("m1");
  expect(rows(after(chat, chunk(" two")))).toEqual(["user text of m1", "says one two"]);
});

test("reduce answers a slash command beside a turn that goes on", () => {
  const chat = after(
    sent("m1", "m2"),
    start,
    chunk("one"),
    { type: "assistant_message", text: "Session info:", inReplyToMessageId: "m2" },
    { ...stop, inReplyToMessageId: "m2" },
  );
  expect(chat.turn?.messageId).toBe("m1");
  expect(rows(chat)).toEqual(["user text of m1", "says one", "user text of m2", "says Session info:"]);
});

test("reduce opens a tool's row, grows its output and ends it with the result", () => {
  const running = after(
    sent("m1"),
    start,
    { type: "tool_start", ...call },
    { type: "tool_chunk", ...call, text: "half" },
  );
  expect(running.items.at(-1)).toMatchObject({ state: "running", output: "half", startedAt: 1000 });
  const ended = after(running, result("timeout", { durationMs: 30 }));
  expect(ended.items.at(-1)).toMatchObject({ state: "timeout", output: "out", durationMs: 30 });
});

test("reduce gives each call its own row when a provider counts its ids anew", () => {
  const once = after(
    sent("m1"),
    start,
    ask,
    { type: "tool_start", ...call },
    result("denied", { reason: "expired" }),
  );
  const twice = after(once, { type: "tool_start", ...call }, result("ok"));
  expect(rows(twice).slice(1)).toEqual([
    "approval write_file closed",
    "tool write_file denied",
    "tool write_file ok",
  ]);
});

test.each([
  ["ok", undefined, "approved"],
  ["denied", "denied", "denied"],
  ["denied", "expired", "closed"],
])("reduce settles a question whose call ended %s (%s) as %s", (status, reason, state) => {
  const open = after(sent("m1"), start, ask);
  expect(rows(open)).toEqual(["user text of m1", "approval write_file open"]);
  const ended = after(
    open,
    { type: "tool_start", ...call },
    result(status, reason === undefined ? {} : { reason }),
  );
  expect(rows(ended)[1]).toBe(`approval write_file ${state}`);
});

test("reduce closes what is open when the turn is stopped", () => {
  const chat = after(
    sent("m1"),
    start,
    ask,
    { type: "tool_start", ...call, callId: "call_1" },
    { type: "error", code: "cancelled", text: "Cancelled." },
  );
  expect(rows(chat).slice(1)).toEqual([
    "approval write_file closed",
    "tool write_file past",
    "error Cancelled.",
  ]);
});

test("reduce takes a step's text back when it begins again", () => {
  const chat = after(
    sent("m1"),
    start,
    chunk("kept"),
    { type: "tool_start", ...call },
    result("ok"),
    { type: "reasoning_chunk", text: "hm" },
    chunk("lost"),
    {
      type: "status",
      code: "restarted",
    },
  );
  expect(rows(after(chat, chunk("anew")))).toEqual([
    "user text of m1",
    "says kept",
    "tool write_file ok",
    "says anew",
  ]);
});

test("reduce takes a turn that is told again from its beginning in place of what it had", () => {
  const once = after(sent("m1"), start, chunk("hal"));
  expect(rows(after(once, start, chunk("half"), stop))).toEqual(["user text of m1", "says half"]);
});

test("reduce asks for the history when a turn begins whose message is not known here", () => {
  expect(after(sent("m1"), { ...start, inReplyToMessageId: "other" }).stale).toBeTrue();
  expect(after(sent("m1"), start).stale).toBeFalse();
});

test("reduce shows nothing of a turn whose message it does not know: the history brings both", () => {
  const other = { inReplyToMessageId: "other" };
  const chat = after(
    sent("m1", "m2"),
    { ...start, ...other },
    { ...chunk("an answer to nothing"), ...other },
    { type: "assistant_message", text: "an answer to nothing", ...other },
    { type: "accepted" },
    { type: "error", code: "busy", text: "Busy.", inReplyToMessageId: "m2" },
    { ...stop, ...other, cursor: "7" },
  );
  expect(rows(chat)).toEqual([]);
  expect(chat).toMatchObject({ stale: true, cursor: "7" });
  expect(chat.waiting).toMatchObject([
    { messageId: "m1", state: "queued" },
    { messageId: "m2", state: "refused", problem: "Busy." },
  ]);
});

test("reduce shows an error of the connection and leaves the running turn alone", () => {
  const running = after(sent("m1"), start, chunk("one"));
  const event = { type: "error", code: "not_found", text: "Nothing to cancel." } as const;
  const chat = reduce(running, { ...event }, 0);
  expect(chat.turn?.messageId).toBe("m1");
  expect(rows(chat).at(-1)).toBe("error Nothing to cancel.");
});

test("reduce ignores other sessions", () => {
  const chat = sent("m1");
  expect(after(chat, { ...start, sessionId: "t", cursor: "9" })).toEqual(chat);
});

test("reduce never gives two rows one key, whatever comes in whatever order", () => {
  const id = fc.constantFrom("m1", "m2", "m3", undefined);
  const of = fc.record({ inReplyToMessageId: id, cursor: fc.constantFrom("1", "2.5") }, { requiredKeys: [] });
  const types = [
    start,
    stop,
    chunk("a"),
    { type: "reasoning_chunk", text: "b" },
    { type: "accepted", turnId: "t" },
    ask,
  ] as const;
  const more = [
    { type: "tool_start", ...call },
    result("ok"),
    result("denied"),
    { type: "assistant_message", text: "n" },
  ] as const;
  const ends = [
    { type: "error", code: "cancelled", text: "c" },
    { type: "status", code: "restarted" },
    { type: "assistant_done" },
  ] as const;
  const event = fc
    .tuple(fc.constantFrom<object>(...types, ...more, ...ends), of)
    .map(([one, fields]) => ({ ...one, ...fields }));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const { items } = after(sent("m1", "m2"), ...events);
      const keys = items.map((item) => `${item.kind} ${item.key}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { seed: 7, numRuns: 300 },
  );
});
