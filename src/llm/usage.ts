import { readCount, readObject } from "./foreign-json.ts";
import type { Usage } from "./message.ts";

const bytesPerToken = 4;

/** Tokens that so many bytes of text are, about. */
export const estimateTokens = (bytes: number) => Math.ceil(bytes / bytesPerToken);

export const estimatedUsage = (inputBytes: number, outputBytes: number): Usage => ({
  inputTokens: estimateTokens(inputBytes),
  outputTokens: estimateTokens(outputBytes),
  cachedTokens: 0,
  reasoningTokens: 0,
  estimated: true,
});

/** Reads a provider's `usage`; undefined when it tells no tokens. */
export function readUsage(value: unknown): Usage | undefined {
  const usage = readObject(value);
  const input = readCount(usage?.prompt_tokens);
  const said = readCount(usage?.completion_tokens);
  const total = readCount(usage?.total_tokens);
  // xAI and Gemini count what was thought in the total alone.
  const output = input === undefined || total === undefined ? said : Math.max(said ?? 0, total - input);
  if (input === undefined && output === undefined) return undefined;
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    cachedTokens: readCount(readObject(usage?.prompt_tokens_details)?.cached_tokens) ?? 0,
    reasoningTokens: readCount(readObject(usage?.completion_tokens_details)?.reasoning_tokens) ?? 0,
    estimated: false,
  };
}
