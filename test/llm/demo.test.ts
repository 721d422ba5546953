import { expect, test } from "bun:test";
import { answerAsDemo } from "../../src/llm/demo.ts";
import type { LlmEvent, LlmRequest, ToolOffer } from "../../src/llm/llm.ts";
import {
  assistantMessage,
  type Message,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/llm/message.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider, type Provider } from "../../src/llm/providers.ts";

const offer = (name: string): ToolOffer => ({
  name,
  json: JSON.stringify({ type: "function", function: { name } }),
});
const tools = [offer("time"), offer("write_file")];
const provider: Provider = {
  ...inferProvider({ timeoutMs: 5000 }),
  fetch: (url, init) => answerAsDemo(url, init, 0),
};

const request = (messages: readonly Message[], more: Partial<LlmRequest> = {}): LlmRequest => ({
  messages: [systemMessage("Count on me at any time: I write."), ...messages],
  tools,
  parameters: {},
  account: { turnId: "t", principal: "p", channel: "c" },
  signal: new AbortController().signal,
  ...more,
});

async function ask(messages: readonly Message[], more?: Partial<LlmRequest>) {
  const events = await Array.fromAsync(openAi(provider, createModels(provider))(request(messages, more)));
  const answer = events.at(-1);
  if (answer?.type !== "answer") throw new Error("no answer");
  return {
    ...answer,
    tokens: events.filter((event: LlmEvent) => event.type === "text").length,
    text: answer.message.text,
  };
}

const timeCall = { id: "call_1", name: "time", arguments: "{}" };

test("answerAsDemo streams its help in tokens, says what it is, and reports its usage", async () => {
  const { text, tokens, usage, model } = await ask([userMessage("hello")]);
  expect(text).toContain("This is the offline demo model");
  expect(text).toContain("MODEL_PROVIDER_KEY");
  expect(tokens).toBeGreaterThan(10);
  expect(usage.estimated).toBe(false);
  expect(usage.outputTokens).toBeGreaterThan(0);
  expect(model).toBe("demo");
});

test("answerAsDemo asks for the time tool, then tells what it said", async () => {
  const question = userMessage("What time is it?");
  const first = await ask([question]);
  expect(first.finishReason).toBe("tool_calls");
  expect(first.message.calls).toMatchObject([{ name: "time", arguments: "{}" }]);
  const second = await ask([
    question,
    first.message,
    toolMessage(first.message.callIds[0] ?? "", "12:34 UTC"),
  ]);
  expect(second.message.calls).toEqual([]);
  expect(second.text).toContain("12:34 UTC");
  expect(second.text).toContain("This is the offline demo model");
});

test("answerAsDemo does not ask again when a client puts a user message after the result", async () => {
  const { message, text } = await ask([
    userMessage("What time is it?"),
    assistantMessage("", [timeCall]),
    toolMessage("call_1", "12:34 UTC"),
    userMessage("That was the result; what time is it?"),
  ]);
  expect(message.calls).toEqual([]);
  expect(text).toContain("12:34 UTC");
});

test("answerAsDemo begins anew with the next question", async () => {
  const { message } = await ask([
    userMessage("What time is it?"),
    assistantMessage("", [timeCall]),
    toolMessage("call_1", "12:34 UTC"),
    assistantMessage("It is 12:34."),
    userMessage([{ type: "text", text: "Write a poem" }]),
  ]);
  expect(message.calls).toMatchObject([{ name: "write_file" }]);
  expect(JSON.parse(message.calls[0]?.arguments ?? "")).toEqual({
    path: "demo.txt",
    content: "Write a poem\n",
  });
});

test("answerAsDemo says what is missing when a tool is not offered, or tools are off", async () => {
  const without = await ask([userMessage("write a file")], { tools: [offer("time")] });
  expect(without.message.calls).toEqual([]);
  expect(without.text).toContain("OPENCLAW_ALLOWED_WRITE_ROOTS");
  const off = await ask([userMessage("what time is it")], { parameters: { tool_choice: "none" } });
  expect(off.message.calls).toEqual([]);
});

test("answerAsDemo counts to ten, a token each", async () => {
  const { text } = await ask([userMessage("please count")]);
  expect(text).toStartWith("1 2 3 4 5 6 7 8 9 10 ");
});

test("answerAsDemo stops its slow count when it is cancelled", async () => {
  const cancel = new AbortController();
  const slow = { ...provider, fetch: (url: string, init: RequestInit) => answerAsDemo(url, init, 60_000) };
  const heard: string[] = [];
  const counting = async () => {
    for await (const event of openAi(
      slow,
      createModels(slow),
    )(request([userMessage("count")], { signal: cancel.signal }))) {
      if (event.type === "text") heard.push(event.text);
      cancel.abort();
    }
  };
  await expect(counting()).rejects.toMatchObject({ code: "cancelled" });
  expect(heard).toEqual(["1 "]);
});

test("answerAsDemo lists itself as the one model and refuses what is no chat", async () => {
  expect(await createModels(provider).list(new AbortController().signal)).toEqual([
    { id: "demo", provider: "demo" },
  ]);
  const refused = await answerAsDemo("http://demo.invalid/v1/chat/completions", { body: "{}" });
  expect(refused.status).toBe(400);
});
