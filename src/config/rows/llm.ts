import type { SettingRow } from "../setting-row.ts";
import { choice, flag, httpUrl, seconds, text } from "../values.ts";

export const llmRows = {
  provider: {
    env: "MODEL_PROVIDER",
    schema: choice(["openai", "ollama", "openai-compatible", "demo"]),
    doc: "Where the model is. Without it: what the other three say, else the offline `demo` model.",
    shown: "from what is set",
    alias: ["OpenClaw__Llm__Provider"],
  },
  key: {
    env: "MODEL_PROVIDER_KEY",
    schema: text,
    doc: "Key of the provider.",
    secret: true,
    alias: ["OpenClaw__Llm__ApiKey"],
  },
  endpoint: {
    env: "MODEL_PROVIDER_ENDPOINT",
    schema: httpUrl,
    doc: "Base URL of an OpenAI-compatible API, usually ending in `/v1`.",
    shown: "the provider's",
    alias: ["OpenClaw__Llm__Endpoint"],
  },
  model: {
    env: "MODEL_PROVIDER_MODEL",
    schema: text,
    doc: "Model that answers.",
    shown: "openai: `gpt-4o`, else the first model listed",
    alias: ["OpenClaw__Llm__Model"],
  },
  timeoutMs: {
    env: "OPENCLAW_LLM_TIMEOUT_SECONDS",
    schema: seconds(),
    fallback: "120",
    doc: "Seconds that one call of the model may take.",
    alias: ["OpenClaw__Llm__TimeoutSeconds"],
  },
  requireModel: {
    env: "OPENCLAW_REQUIRE_MODEL",
    schema: flag,
    fallback: "false",
    doc: "Refuse to start with the `demo` model.",
  },
} as const satisfies Record<string, SettingRow>;
