import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { type InProcess, operatorToken, startInProcess } from "../helpers/in-process.ts";
import { runs } from "../helpers/long.ts";

/** A model server that nobody here wrote: what it takes for OpenAI's API, and what it breaks with its chaos on. */
const mock = new LLMock({ port: 0, logLevel: "silent", chunkSize: 4 });
let server: InProcess;
let client: OpenAI;

beforeAll(async () => {
  mock.onMessage("hello", { content: "Hi there, how are you?" });
  mock.onMessage("think", { content: "Forty-two.", reasoning: "Hm, let me see." });
  mock.on(
    { userMessage: "Graz", hasToolResult: false },
    {
      toolCalls: [{ id: "call_w", name: "weather", arguments: '{"city":"Graz"}' }],
    },
  );
  mock.on({ userMessage: "Graz", hasToolResult: true }, { content: "It is sunny in Graz." });
  await mock.start();
  server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: `${mock.url}/v1`,
    MODEL_PROVIDER_KEY: "mock",
    MODEL_PROVIDER_MODEL: "gpt-4o",
    OPENCLAW_LLM_TIMEOUT_SECONDS: "5",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_LLM_RETRIES: "1",
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: operatorToken, maxRetries: 0 });
});

beforeEach(() => void mock.clearChaos());

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await mock.stop();
});

const model = "openclaw";
const hello = { model, messages: [{ role: "user" as const, content: "hello" }] };
const weather = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

test("aimock answers through us, whole and streamed, with usage that the ledger has", async () => {
  const whole = await client.chat.completions.create(hello);
  expect(whole.choices[0]?.message.content).toBe("Hi there, how are you?");
  const chunks = await Array.fromAsync(
    await client.chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } }),
  );
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
    "Hi there, how are you?",
  );
  expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
  const used = (whole.usage?.total_tokens ?? 0) + (chunks.at(-1)?.usage?.total_tokens ?? 0);
  const { inputTokens, outputTokens } = await (await server.ask("/api/usage")).json();
  expect(inputTokens + outputTokens).toBe(used);
});

test("runTools of the openai package calls its function and tells the answer", async () => {
  const asked: string[] = [];
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: "user", content: "How is it in Graz?" }],
    tools: [
      {
        type: "function",
        function: {
          ...weather,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => {
            asked.push(city);
            return "sunny";
          },
        },
      },
    ],
  });

  expect(await runner.finalContent()).toBe("It is sunny in Graz.");
  expect(asked).toEqual(["Graz"]);
});

test("a response continues another with nothing but the output of its call, streamed", async () => {
  const tools = [{ type: "function" as const, ...weather, strict: null }];
  const first = await client.responses.create({ model, input: "How is it in Graz?", tools });
  const [call] = first.output;
  expect(call).toMatchObject({ type: "function_call", call_id: "call_w", arguments: '{"city":"Graz"}' });

  const stream = client.responses.stream({
    model,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: "call_w", output: "sunny" }],
    tools,
  });

  expect((await stream.finalResponse()).output_text).toBe("It is sunny in Graz.");
});

test("reasoning is an item of its own, and never in the answer", async () => {
  const response = await client.responses.create({ model, input: "think" });
  expect(response.output_text).toBe("Forty-two.");
  expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
});

const shapes = {
  "Azure's deployments": () => ({
    MODEL_PROVIDER: "azure",
    MODEL_PROVIDER_ENDPOINT: mock.url,
    MODEL_PROVIDER_KEY: "mock",
    MODEL_PROVIDER_MODEL: "my-deployment",
  }),
  "Ollama's": () => ({
    MODEL_PROVIDER: "ollama",
    MODEL_PROVIDER_ENDPOINT: `${mock.url}/v1`,
    MODEL_PROVIDER_MODEL: "llama3.2",
  }),
};

for (const [shape, env] of Object.entries(shapes))
  test(`aimock answers through us in ${shape} shape, whole, streamed and with a call`, async () => {
    await using other = await startInProcess(env());
    const { chat } = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: operatorToken, maxRetries: 0 });

    const whole = await chat.completions.create(hello);
    expect(whole.choices[0]?.message.content).toBe("Hi there, how are you?");
    const chunks = await Array.fromAsync(await chat.completions.create({ ...hello, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
      "Hi there, how are you?",
    );
    const called = await chat.completions.create({
      model,
      messages: [{ role: "user", content: "How is it in Graz?" }],
      tools: [{ type: "function", function: weather }],
    });
    expect(called.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: "call_w", function: { name: "weather" } }] },
    });
  });

test("with chaos on every request ends, with the whole answer or an error that says so", async () => {
  mock.setChaos({ dropRate: 0.2, malformedRate: 0.2, rateLimitRate: 0.1, disconnectRate: 0.2 });
  const ask = async (stream: boolean) => {
    if (!stream) return (await client.chat.completions.create(hello)).choices[0]?.message.content;
    const chunks = await Array.fromAsync(await client.chat.completions.create({ ...hello, stream: true }));
    return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  };
  const ends = await Promise.allSettled(Array.from({ length: runs(24, 400) }, (_, at) => ask(at % 2 === 0)));

  for (const end of ends) {
    if (end.status === "fulfilled") expect(end.value).toBe("Hi there, how are you?");
    else expect(end.reason).toBeInstanceOf(OpenAI.APIError);
  }
  mock.clearChaos();
  expect((await client.chat.completions.create(hello)).choices[0]?.message.content).toBe(
    "Hi there, how are you?",
  );
});
