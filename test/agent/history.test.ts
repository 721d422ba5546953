import { expect, test } from "bun:test";
import fc from "fast-check";
import { history, unansweredCalls } from "../../src/agent/history.ts";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";

const calls = (...ids: string[]) => ids.map((id) => ({ id, name: "time", arguments: "{}" }));
const texts = (messages: readonly Message[]) => messages.map((message) => JSON.parse(message.json));

/** What every provider demands: each call has exactly one result, right behind it and in its order, and none else. */
function expectValid(messages: readonly Message[]) {
  let open: string[] = [];
  for (const message of messages) {
    if (message.role === "tool") expect(message.callIds[0]).toBe(open.shift() as string);
    else expect(open).toEqual([]);
    if (message.role === "assistant") open = [...message.callIds];
  }
  expect(open).toEqual([]);
}

test("history puts results into the order of the calls", () => {
  const sent = history(
    [userMessage("hi"), assistantMessage("", calls("a", "b")), toolMessage("b", "2"), toolMessage("a", "1")],
    10_000,
  );

  expect(texts(sent).map((message) => message.tool_call_id)).toEqual([undefined, undefined, "a", "b"]);
});

test("history gives a call that was cut a result that says so", () => {
  const sent = history(
    [userMessage("hi"), assistantMessage("", calls("a")), userMessage("and now?")],
    10_000,
  );

  expectValid(sent);
  expect(texts(sent)[2].content).toContain("not known");
});

test("history leaves out results without a call and second results", () => {
  const sent = history(
    [
      toolMessage("lost", "x"),
      userMessage("hi"),
      assistantMessage("", calls("a")),
      toolMessage("a", "first"),
      toolMessage("a", "second"),
    ],
    10_000,
  );

  expectValid(sent);
  expect(texts(sent).at(-1).content).toBe("first");
});

test("history keeps the newest rounds and begins with what a person said", () => {
  const long = "x".repeat(1000);
  const sent = history(
    [
      userMessage(`1${long}`),
      assistantMessage(`2${long}`),
      userMessage(`3${long}`),
      assistantMessage("4"),
      userMessage("5"),
    ],
    1300,
  );

  expect(texts(sent).map((message) => message.content[0])).toEqual(["3", "4", "5"]);
});

test("history keeps the last user message with its newest round however small the window is", () => {
  const long = "x".repeat(1000);
  const sent = history(
    [
      userMessage(`1${long}`),
      assistantMessage("", calls("a")),
      toolMessage("a", long),
      assistantMessage("", calls("b")),
      toolMessage("b", long),
    ],
    100,
  );

  expectValid(sent);
  expect(texts(sent)[0].content).toStartWith("1");
  expect(sent.at(-1)?.callIds).toEqual(["b"]);
});

const someEntry = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => userMessage(text)),
  fc
    .uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 })
    .map((ids) => assistantMessage("so", calls(...ids))),
  fc.constantFrom("a", "b", "c", "d", "e").map((id) => toolMessage(id, "result")),
);

test("history is valid for any entries and any window", () => {
  fc.assert(
    fc.property(fc.array(someEntry, { maxLength: 30 }), fc.nat(3000), (entries, window) => {
      const sent = history(entries, window);
      expectValid(sent);
      const lastUser = entries.findLast((entry) => entry.role === "user");
      if (lastUser !== undefined) expect(sent).toContain(lastUser);
    }),
    { numRuns: 500 },
  );
});

test("unansweredCalls names the calls of the last answer that have no result", () => {
  const asked = [userMessage("hi"), assistantMessage("", calls("a", "b", "c"))];

  expect(unansweredCalls([...asked, toolMessage("b", "2")])).toEqual(["a", "c"]);
  expect(unansweredCalls([...asked, userMessage("never mind")])).toEqual([]);
  expect(unansweredCalls([userMessage("hi")])).toEqual([]);
});
