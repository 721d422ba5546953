import type { ErrorCode } from "../../src/errors.ts";
import type { LlmEvent, LlmRequest } from "../../src/llm/llm.ts";
import { systemMessage, userMessage } from "../../src/llm/message.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider } from "../../src/llm/providers.ts";
import { type Script, scriptedModel } from "../helpers/model-server.ts";

export const key = "sk-test-key-0123456789";

export const aRequest = (more: Partial<LlmRequest> = {}): LlmRequest => ({
  messages: [systemMessage("be brief"), userMessage("hello")],
  tools: [],
  parameters: {},
  account: { turnId: "t1", principal: "operator", channel: "test" },
  signal: new AbortController().signal,
  ...more,
});

export function llmAt(endpoint: string, timeoutMs = 10_000) {
  const provider = inferProvider({ endpoint, key, timeoutMs });
  return openAi(provider, createModels(provider));
}

export const collect = (events: AsyncIterable<LlmEvent>) => Array.fromAsync(events);
export const kinds = (events: readonly LlmEvent[]) =>
  events.map((event) => (event.type === "text" || event.type === "reasoning" ? event.text : event.type));

export async function ask(script: Script, more?: Partial<LlmRequest>, timeoutMs?: number) {
  await using server = scriptedModel(script);
  return await collect(llmAt(server.url, timeoutMs)(aRequest(more)));
}

/** What a call fails with, and whatever came before. */
export async function askInVain(script: Script | string, timeoutMs = 10_000) {
  await using server = scriptedModel(typeof script === "string" ? [] : script);
  const events: LlmEvent[] = [];
  try {
    for await (const event of llmAt(
      typeof script === "string" ? script : server.url,
      timeoutMs,
    )(aRequest())) {
      events.push(event);
    }
  } catch (error) {
    return { events, error: error as { code: ErrorCode; message: string; retryAfterMs?: number } };
  }
  throw new Error(`It answered: ${JSON.stringify(events)}`);
}
