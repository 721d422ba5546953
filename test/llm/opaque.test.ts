import { expect, test } from "bun:test";
import { createAnswerAssembler } from "../../src/llm/deltas.ts";
import { createFaults } from "../../src/llm/faults.ts";
import { type AssistantMessage, userMessage } from "../../src/llm/message.ts";
import { withOpaque } from "../../src/llm/opaque.ts";
import { requestBody } from "../../src/llm/request-body.ts";
import { aRequest } from "./asking.ts";

const faults = createFaults({ name: "lab", isNamed: false, endpoint: "http://lab/v1" });

/** The message that these deltas make. */
function assembled(...deltas: object[]): AssistantMessage {
  const answer = createAnswerAssembler("m", faults, "lab");
  for (const delta of deltas) answer.push(JSON.stringify({ choices: [{ index: 0, delta }] }));
  answer.push("[DONE]");
  return answer.finish(0).message;
}
const call = (id: string, more: object = {}) => ({
  index: 0,
  id,
  type: "function",
  function: { name: "time", arguments: "{}" },
  ...more,
});
const sent = (message: AssistantMessage, name: string) =>
  JSON.parse(requestBody({ kind: "openai-compatible", name }, "m", aRequest({ messages: [message] })))
    .messages[0];

test("createOpaqueParts keeps the signature of a call, which only its provider is sent again", () => {
  const signature = { google: { thought_signature: "c2ln" } };
  const message = assembled({ tool_calls: [call("a", { extra_content: signature })] });
  expect(message.json).not.toContain("c2ln");
  expect(sent(message, "lab").tool_calls).toEqual([
    { id: "a", type: "function", function: { name: "time", arguments: "{}" }, extra_content: signature },
  ]);
  expect(sent(message, "other").tool_calls).toEqual([
    { id: "a", type: "function", function: { name: "time", arguments: "{}" } },
  ]);
});

test("createOpaqueParts puts each signature beside the call that it came with", () => {
  const message = assembled({
    tool_calls: [
      { ...call("a"), index: 0 },
      { ...call("b", { thought_signature: "sb" }), index: 1 },
    ],
  });
  const calls: { id: string; thought_signature?: string }[] = sent(message, "lab").tool_calls;
  expect(calls.map(({ id, thought_signature }) => [id, thought_signature])).toEqual([
    ["a", undefined],
    ["b", "sb"],
  ]);
});

test("createOpaqueParts keeps reasoning beside calls, and only there", () => {
  const thought = [{ reasoning_content: "let me " }, { reasoning_content: "see" }];
  expect(sent(assembled(...thought, { tool_calls: [call("a")] }), "lab").reasoning_content).toBe(
    "let me see",
  );
  expect(assembled(...thought, { content: "so" }).meta).toBeUndefined();
});

test("createOpaqueParts keeps reasoning details in their order", () => {
  const message = assembled(
    { reasoning_details: [{ type: "reasoning.text", text: "a" }] },
    { reasoning_details: [{ type: "reasoning.encrypted", data: "b" }], content: "hi" },
  );
  expect(sent(message, "lab").reasoning_details).toEqual([
    { type: "reasoning.text", text: "a" },
    { type: "reasoning.encrypted", data: "b" },
  ]);
});

test("createOpaqueParts leaves out what is far too large, and nothing where there is nothing", () => {
  expect(assembled({ content: "hi" }).meta).toBeUndefined();
  expect(assembled({ content: "hi", extra_content: "x".repeat(2_000_000) }).meta).toBeUndefined();
});

test("withOpaque leaves a message as it is when what was kept cannot be read", () => {
  const { json } = userMessage("hi");
  for (const meta of ["", "{", "[]", '{"provider":"lab"}', '{"provider":"lab","message":1,"calls":[]}'])
    expect(withOpaque(json, meta, "lab")).toBe(json);
});
