import { expect, test } from "bun:test";
import fc from "fast-check";
import { history, type Past, unansweredCalls } from "../../src/agent/history.ts";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import { runs } from "../helpers/long.ts";
import { bytesOf, expectValid, textOf } from "../helpers/valid-history.ts";

const calls = (...ids: string[]) => ids.map((id) => ({ id, name: "time", arguments: "{}" }));
const texts = (messages: readonly Message[]) => messages.map((message) => JSON.parse(message.json));
const sentOf = (entries: readonly Message[], maxBytes: number, more: Omit<Past, "entries"> = {}) =>
  history({ entries, ...more }, maxBytes);

test("history sends what fits as the very messages that were stored", () => {
  const entries = [
    userMessage("hi"),
    assistantMessage("", calls("a"), { reasoning_content: "hm" }),
    toolMessage("a", "1"),
    assistantMessage("so"),
    userMessage("and?"),
  ];
  const sent = sentOf(entries, 10_000);

  expect(sent).toHaveLength(entries.length);
  for (const [at, entry] of entries.entries()) expect(sent[at]).toBe(entry);
});

test("history puts results into the order of the calls", () => {
  const sent = sentOf(
    [userMessage("hi"), assistantMessage("", calls("a", "b")), toolMessage("b", "2"), toolMessage("a", "1")],
    10_000,
  );

  expect(texts(sent).map((message) => message.tool_call_id)).toEqual([undefined, undefined, "a", "b"]);
});

test("history gives a call that was cut a result that says so, and the turn an end", () => {
  const sent = sentOf([userMessage("hi"), assistantMessage("", calls("a")), userMessage("and now?")], 10_000);

  expectValid(sent);
  expect(texts(sent)[2].content).toContain("not known");
  expect(texts(sent)[3]).toMatchObject({
    role: "assistant",
    content: expect.stringContaining("No answer was given"),
  });
});

test.each(["", " \n\t"])("history sends an answer that said nothing (%j) as one that says so", (nothing) => {
  const sent = sentOf([userMessage("hi"), assistantMessage(nothing), userMessage("and now?")], 10_000);

  expectValid(sent);
  expect(sent.map(textOf)).toEqual(["hi", "[No answer was given here.]", "and now?"]);
});

test("history leaves out results without a call and second results", () => {
  const sent = sentOf(
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

test("history makes one message of what was said in a row, with the parts of each", () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const plain = sentOf([userMessage("one"), userMessage("two"), assistantMessage("so")], 10_000);
  const mixed = sentOf([userMessage("one"), userMessage([image]), userMessage("")], 10_000);

  expect(texts(plain)[0].content).toBe("one\n\ntwo");
  expect(texts(mixed)).toEqual([{ role: "user", content: [{ type: "text", text: "one" }, image] }]);
});

test("history keeps the first message and the newest rounds, and says what is missing", () => {
  const long = "x".repeat(1000);
  const sent = sentOf(
    [
      userMessage("first"),
      assistantMessage(`2${long}`),
      userMessage(`3${long}`),
      assistantMessage(`4${long}`),
      userMessage(`5${long}`),
      assistantMessage("6"),
      userMessage("7"),
    ],
    1600,
  );

  expectValid(sent);
  expect(textOf(sent[0])).toStartWith("first\n\n[Messages are left out here");
  expect(textOf(sent[0])).toEndWith(`5${long}`);
  expect(sent.slice(1).map(textOf)).toEqual(["6", "7"]);
});

test("history begins with the first message and the summary that stand before its entries", () => {
  const sent = sentOf([assistantMessage("so"), userMessage("and?")], 10_000, {
    first: userMessage("first"),
    summary: userMessage("[Summary] we spoke"),
  });

  expect(sent.map(textOf)).toEqual(["first\n\n[Summary] we spoke", "so", "and?"]);
});

test("history keeps the question with its newest round however small the window is, and shortens the results", () => {
  const long = "x".repeat(10_000);
  const sent = sentOf(
    [
      userMessage("what is in it?"),
      assistantMessage("", calls("a")),
      toolMessage("a", long),
      assistantMessage(long, calls("a")),
      assistantMessage("", calls("b")),
      toolMessage("b", `begin${long}end`),
    ],
    1000,
  );

  expectValid(sent);
  expect(textOf(sent[0])).toStartWith("what is in it?\n\n[The first steps");
  expect(sent.at(-1)?.callIds).toEqual(["b"]);
  expect(textOf(sent.at(-1))).toMatch(/^beginx+\n\[… \d+ characters are left out here …\]\nx+end$/);
  expect(bytesOf(sent)).toBeLessThanOrEqual(1000);
});

test("history shortens a result that would take the window for itself, and never what is stored", () => {
  const result = toolMessage("a", `\0"é🎉${"\n".repeat(5000)}`);
  const stored = result.json;
  const sent = sentOf(
    [userMessage("hi"), assistantMessage("", calls("a")), result, assistantMessage("x".repeat(2000))],
    8000,
  );

  expect(sent).toHaveLength(4);
  expect(Buffer.byteLength(sent[2]?.json ?? "")).toBeLessThanOrEqual(2000);
  expect(result.json).toBe(stored);
});

/** What chance makes of a conversation: long and short, called, cut, cancelled, in any order. */
const someText = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.nat(9000).map((length) => 'wide "é🎉"\n'.repeat(Math.ceil(length / 9))) },
);
const someId = fc.constantFrom("a", "b", "c", "d");
const someEntry = fc.oneof(
  someText.map((text) => userMessage(text)),
  someText.map((text) => userMessage([{ type: "text", text }])),
  someText.map((text) => assistantMessage(text)),
  fc
    .tuple(fc.uniqueArray(someId, { minLength: 1, maxLength: 3 }), someText)
    .map(([ids, text]) => assistantMessage(text, calls(...ids))),
  fc.tuple(someId, someText).map(([id, text]) => toolMessage(id, text)),
);
const maybeSaid = fc.option(
  someText.map((text) => userMessage(text)),
  { nil: undefined },
);
const somePast = fc.record({
  entries: fc.array(someEntry, { maxLength: 40, size: "max" }),
  first: maybeSaid,
  summary: maybeSaid,
});

/** Four times the longest answer, which goes along as it is when it is the newest. */
const surelyEnough = ({ entries }: Past) =>
  4 *
  (1000 + Math.max(0, ...entries.filter(({ role }) => role === "assistant").map((each) => bytesOf([each]))));

test("history is valid for any conversation and any window, and fits where that can be", () => {
  fc.assert(
    fc.property(somePast, fc.integer({ min: -100, max: 200_000 }), (past, window) => {
      const before = JSON.stringify(past);
      const sent = history(past, window);

      expectValid(sent);
      expect(JSON.stringify(past)).toBe(before);
      if (window >= surelyEnough(past)) expect(bytesOf(sent)).toBeLessThanOrEqual(window);
    }),
    { numRuns: runs(1000, 10_000) },
  );
}, 600_000);

test("history keeps what was said first and last, and the summary, wherever there is room for them", () => {
  fc.assert(
    fc.property(somePast, fc.integer({ min: 0, max: 200_000 }), (past, window) => {
      const said = past.entries.filter((entry) => entry.role === "user");
      const first = past.first ?? said[0];
      const kept = [first, past.summary, said.at(-1)].filter((message) => message !== undefined);
      const sent = history(past, window).map(textOf).join("\n");
      if (Math.max(0, ...kept.map((message) => bytesOf([message]))) > window / 100) return;
      for (const message of kept) expect(sent).toContain(textOf(message));
    }),
    { numRuns: runs(500, 10_000) },
  );
}, 600_000);

test("unansweredCalls names the calls of the last answer that have no result", () => {
  const asked = [userMessage("hi"), assistantMessage("", calls("a", "b", "c"))];

  expect(unansweredCalls([...asked, toolMessage("b", "2")])).toEqual(["a", "c"]);
  expect(unansweredCalls([...asked, userMessage("never mind")])).toEqual([]);
  expect(unansweredCalls([userMessage("hi")])).toEqual([]);
});

test("history counts the note that it puts before a conversation which begins with an answer", () => {
  const entries = [
    assistantMessage("a".repeat(3000)),
    userMessage("b".repeat(3000)),
    assistantMessage("c"),
    userMessage("d"),
  ];
  const window = bytesOf(entries);

  const sent = history({ entries }, window);

  expectValid(sent);
  expect(bytesOf(sent)).toBeLessThanOrEqual(window);
});
