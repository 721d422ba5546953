/** US dollars per million tokens; without `cached`, input from a provider's cache costs what other input costs. */
export interface Price {
  readonly input: number;
  readonly cached?: number | undefined;
  readonly output: number;
}

/**
 * What well-known models cost: US dollars per million tokens, as their makers listed them when this was shipped. Only
 * models with one price; what is not here is unknown, and `OPENCLAW_PRICES` says it.
 */
export const listedPrices: Readonly<Record<string, Price>> = {
  demo: { input: 0, output: 0 },

  "gpt-4o": { input: 2.5, cached: 1.25, output: 10 },
  "gpt-4o-2024-05-13": { input: 5, output: 15 },
  "gpt-4o-mini": { input: 0.15, cached: 0.075, output: 0.6 },
  "gpt-4.1": { input: 2, cached: 0.5, output: 8 },
  "gpt-4.1-mini": { input: 0.4, cached: 0.1, output: 1.6 },
  "gpt-4.1-nano": { input: 0.1, cached: 0.025, output: 0.4 },
  "gpt-5": { input: 1.25, cached: 0.125, output: 10 },
  "gpt-5-mini": { input: 0.25, cached: 0.025, output: 2 },
  "gpt-5-nano": { input: 0.05, cached: 0.005, output: 0.4 },
  o1: { input: 15, cached: 7.5, output: 60 },
  o3: { input: 2, cached: 0.5, output: 8 },
  "o3-mini": { input: 1.1, cached: 0.55, output: 4.4 },
  "o4-mini": { input: 1.1, cached: 0.275, output: 4.4 },

  "claude-opus-4-1": { input: 15, cached: 1.5, output: 75 },
  "claude-haiku-4-5": { input: 1, cached: 0.1, output: 5 },
  "claude-3-7-sonnet": { input: 3, cached: 0.3, output: 15 },
  "claude-3-5-haiku": { input: 0.8, cached: 0.08, output: 4 },

  "gemini-2.0-flash": { input: 0.1, cached: 0.025, output: 0.4 },

  "mistral-large-latest": { input: 2, output: 6 },
  "llama-3.3-70b-versatile": { input: 0.59, output: 0.79 },
  "llama-3.1-8b-instant": { input: 0.05, output: 0.08 },
};
