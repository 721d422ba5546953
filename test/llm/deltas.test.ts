import { expect, test } from "bun:test";
import fc from "fast-check";
import { createAnswerAssembler } from "../../src/llm/deltas.ts";
import { createFaults } from "../../src/llm/faults.ts";
import type { LlmEvent } from "../../src/llm/llm.ts";
import { readAssistant } from "../../src/llm/message.ts";
import { createPayloadDecoder } from "../../src/llm/sse.ts";
import { runs } from "../helpers/long.ts";
import { type CorpusEntry, corpus } from "./corpus.ts";

const faults = createFaults({ name: "test", isNamed: false, endpoint: "http://127.0.0.1:9/v1" });
const inputBytes = 40;

/** What comes out when the bytes come cut at these places. */
function assemble(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
): { events: LlmEvent[] } | { error: unknown } {
  const decoder = createPayloadDecoder();
  const answer = createAnswerAssembler("asked", faults, "test");
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  try {
    const payloads = places.slice(1).flatMap((place, at) => decoder.push(bytes.subarray(places[at], place)));
    const events = [...payloads, ...decoder.end()].flatMap((payload) => [...answer.push(payload)]);
    return { events: [...events, answer.finish(inputBytes)] };
  } catch (error) {
    return { error };
  }
}

const joined = (events: readonly LlmEvent[], type: "text" | "reasoning") =>
  events.map((event) => (event.type === type ? event.text : "")).join("");

function checkEntry({ bytes, out }: CorpusEntry, cuts: readonly number[] = []) {
  const result = assemble(new TextEncoder().encode(bytes), cuts);
  if ("error" in out) {
    expect(result).toMatchObject({ error: { code: out.error, message: expect.stringMatching(out.message) } });
    return;
  }
  if ("error" in result) throw result.error;
  const answer = result.events.at(-1);
  if (answer?.type !== "answer") throw new Error("no answer");
  const { text = "", reasoning = "", calls = [], usage } = out;
  expect(joined(result.events, "text")).toBe(text);
  expect(joined(result.events, "reasoning")).toBe(reasoning);
  expect(answer.message.text).toBe(text);
  expect(answer.message.calls).toHaveLength(calls.length);
  for (const [at, call] of calls.entries()) {
    const found = answer.message.calls[at];
    expect(found).toMatchObject({ name: call.name, arguments: call.arguments });
    if (call.id) expect(found?.id).toBe(call.id);
    else expect(found?.id).toMatch(/^call_[0-9a-f]{32}$/);
    if (call.problem) expect(found?.problem).toMatch(call.problem);
    else expect(found?.problem).toBeUndefined();
  }
  expect(new Set(answer.message.callIds).size).toBe(calls.length);
  expect(readAssistant(answer.message).calls.map((call) => call.id)).toEqual([...answer.message.callIds]);
  if (out.finishReason) expect(answer.finishReason).toBe(out.finishReason);
  if (usage)
    expect(answer.usage).toMatchObject({ inputTokens: usage[0], outputTokens: usage[1], estimated: false });
  else expect(answer.usage).toMatchObject({ inputTokens: 10, estimated: true });
}

for (const entry of corpus) {
  test(`createAnswerAssembler copes with ${entry.name}`, () => {
    checkEntry(entry);
    checkEntry(
      entry,
      Array.from({ length: Math.min(new TextEncoder().encode(entry.bytes).length, 5000) }, (_, at) => at),
    );
  });
}

test("createAnswerAssembler gives the same answer wherever the network cuts the bytes", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom(...corpus), cuts, (entry, places) => checkEntry(entry, places)),
    { seed: 2, numRuns: runs(1500, 100_000) },
  );
});

test("createAnswerAssembler takes any JSON without another error than an AppError", () => {
  fc.assert(
    fc.property(fc.array(fc.json(), { maxLength: 5 }), (payloads) => {
      const bytes = new TextEncoder().encode(payloads.map((payload) => `data: ${payload}\n\n`).join(""));
      const result = assemble(bytes);
      if ("error" in result) expect(result.error).toMatchObject({ name: "AppError", code: "provider_error" });
    }),
    { seed: 3, numRuns: runs(500, 50_000) },
  );
});

test("createAnswerAssembler takes any delta of calls and always yields calls that can be sent back", () => {
  const scrap = fc.oneof(
    fc.constantFrom(undefined, null, 0, 1, "a", "b", "read_file", "{}", '{"a":', "1}", '{"b":2}'),
  );
  const piece = fc.record({
    index: scrap,
    id: scrap,
    function: fc.record({ name: scrap, arguments: scrap }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 3 }), { maxLength: 6 }), (deltas) => {
      const answer = createAnswerAssembler("m", faults, "test");
      for (const tool_calls of deltas) answer.push(JSON.stringify({ choices: [{ delta: { tool_calls } }] }));
      answer.push("[DONE]");
      if (deltas.length === 0) return;
      const { message } = answer.finish(0);
      expect(new Set(message.callIds).size).toBe(message.calls.length);
      for (const call of message.calls) {
        expect(call.name).not.toBe("");
        expect(JSON.parse(call.arguments)).toBeObject();
      }
    }),
    { seed: 4, numRuns: runs(1000, 50_000) },
  );
});

test("createAnswerAssembler names the model that answered, else the one that was asked", () => {
  const told = createAnswerAssembler("asked", faults, "test");
  told.push('{"model":"gpt-4o-2026","choices":[{"delta":{},"finish_reason":"stop"}]}');
  expect(told.finish(0).model).toBe("gpt-4o-2026");
  const silent = createAnswerAssembler("asked", faults, "test");
  silent.push('{"choices":[{"delta":{},"finish_reason":"stop"}]}');
  expect(silent.finish(0).model).toBe("asked");
});

test("createAnswerAssembler refuses an answer without end", () => {
  const answer = createAnswerAssembler("m", faults, "test");
  const payload = JSON.stringify({ choices: [{ delta: { content: "x".repeat(1024 * 1024) } }] });
  expect(() => {
    for (let at = 0; at < 10; at++) answer.push(payload);
  }).toThrow("more than 8388608 characters");
});

test("createAnswerAssembler refuses calls without end", () => {
  const answer = createAnswerAssembler("m", faults, "test");
  const call = { index: 0, function: { arguments: "x".repeat(1024 * 1024) } };
  const payload = JSON.stringify({ choices: [{ delta: { tool_calls: [call] } }] });
  expect(() => {
    for (let at = 0; at < 10; at++) answer.push(payload);
  }).toThrow("more than 8388608 characters");
});

test("createAnswerAssembler never shows the key, not even in what the provider said", () => {
  const keyed = createFaults({
    name: "test",
    isNamed: false,
    endpoint: "http://127.0.0.1:9/v1",
    key: "sk-secret",
  });
  const answer = createAnswerAssembler("m", keyed, "test");
  expect(() => answer.push('{"error":{"message":"bad key sk-secret"}}')).toThrow("bad key [key]");
  expect(() => answer.push("garbage sk-secret")).toThrow("garbage [key]");
});

test("createAnswerAssembler hands logprobs on with the text of their payload, and with no other", () => {
  const answer = createAnswerAssembler("asked", faults, "test");
  const logprobs = [{ token: "Hi", logprob: -0.5 }];
  const push = (choice: object) => answer.push(JSON.stringify({ choices: [choice] }));

  expect(push({ delta: { content: "Hi" }, logprobs: { content: logprobs } })).toEqual([
    { type: "text", text: "Hi", logprobs },
  ]);
  expect(push({ delta: { content: "!" }, logprobs: null })).toEqual([{ type: "text", text: "!" }]);
  expect(push({ delta: { content: "?" }, logprobs: { content: null } })).toEqual([
    { type: "text", text: "?" },
  ]);
  expect(push({ delta: {}, logprobs: { content: logprobs } })).toEqual([]);
});
