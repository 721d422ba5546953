import * as v from "valibot";
import { jsonOf } from "./json-value.ts";
import { httpUrl } from "./values.ts";

/** What MODEL_PROVIDER may be; `llm/provider-table.ts` has a row for each. */
export const providerWords = [
  "openai",
  "azure",
  "ollama",
  "lmstudio",
  "vllm",
  "llamacpp",
  "openrouter",
  "groq",
  "together",
  "deepseek",
  "mistral",
  "gemini",
  "anthropic",
  "openai-compatible",
  "demo",
] as const;

const Text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(1000));

const NamedProvider = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_.-]{0,31}$/i, "a name of letters, digits, . _ -")),
  provider: v.optional(v.picklist(providerWords)),
  endpoint: v.optional(httpUrl),
  key: v.optional(Text),
  model: v.optional(Text),
  models: v.optional(v.pipe(v.array(Text), v.minLength(1), v.maxLength(1000))),
  apiVersion: v.optional(Text),
});

const NamedProviders = v.pipe(v.array(NamedProvider), v.maxLength(32));

/** `[{ "name", "endpoint", "key", "models", … }]`. */
export const providerList = jsonOf(
  v.optional(NamedProviders, []),
  'a JSON list of {"name", "provider", "endpoint", "key", "model", "models", "apiVersion"}',
);
