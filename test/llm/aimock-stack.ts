import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { type InProcess, operatorToken, startInProcess } from "../helpers/in-process.ts";

export const model = "openclaw";
export const answer = "Hi there, how are you?";
export const hello = { model, messages: [{ role: "user" as const, content: "hello" }] };
export const weather = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};
export const sunny = "It is sunny in Graz.";

/** A model server that nobody here wrote, and what it is to say. */
export async function startAimock() {
  const mock = new LLMock({ port: 0, logLevel: "silent", chunkSize: 4 });
  mock.onMessage("hello", { content: answer });
  mock.onMessage("think", { content: "Forty-two.", reasoning: "Hm, let me see." });
  mock.on(
    { userMessage: "Graz", hasToolResult: false },
    { toolCalls: [{ id: "call_w", name: "weather", arguments: '{"city":"Graz"}' }] },
  );
  mock.on({ userMessage: "Graz", hasToolResult: true }, { content: sunny });
  await mock.start();
  return mock;
}

/** How it is set as upstream in each of the shapes that it takes. */
export const shapes: Readonly<Record<string, (url: string) => Record<string, string>>> = {
  "OpenAI's": (url) => ({
    MODEL_PROVIDER_ENDPOINT: `${url}/v1`,
    MODEL_PROVIDER_KEY: "mock",
    MODEL_PROVIDER_MODEL: "gpt-4o",
  }),
  "Azure's": (url) => ({
    MODEL_PROVIDER: "azure",
    MODEL_PROVIDER_ENDPOINT: url,
    MODEL_PROVIDER_KEY: "mock",
    MODEL_PROVIDER_MODEL: "my-deployment",
  }),
  "Ollama's": (url) => ({
    MODEL_PROVIDER: "ollama",
    MODEL_PROVIDER_ENDPOINT: `${url}/v1`,
    MODEL_PROVIDER_MODEL: "llama3.2",
  }),
};

/** The whole server over it, with one retry and no breaker, which would leave alone what fails so often. */
export const startOver = (env: Readonly<Record<string, string>>) =>
  startInProcess({
    OPENCLAW_LLM_TIMEOUT_SECONDS: "20",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_LLM_RETRIES: "1",
    ...env,
  });

export const clientOf = (server: InProcess, apiKey = operatorToken) =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });

/** Everything that the official client does with a model, each resolving to the text that it was told. */
export const ways: Readonly<Record<string, (client: OpenAI) => Promise<string | null | undefined>>> = {
  chat: async (client) => (await client.chat.completions.create(hello)).choices[0]?.message.content,
  "a chat stream": async (client) => {
    const chunks = await Array.fromAsync(await client.chat.completions.create({ ...hello, stream: true }));
    return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  },
  "a response": async (client) => (await client.responses.create({ model, input: "hello" })).output_text,
  "a response stream": async (client) =>
    (await client.responses.stream({ model, input: "hello" }).finalResponse()).output_text,
  runTools: async (client) => {
    const callback = { ...weather, parse: JSON.parse, function: () => "sunny" };
    const messages = [{ role: "user" as const, content: "How is it in Graz?" }];
    const tools = [{ type: "function" as const, function: callback }];
    return client.chat.completions.runTools({ model, messages, tools }).finalContent();
  },
};
