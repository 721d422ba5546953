import { usesProxy } from "../environment.ts";
import { providerList, providerWords } from "../provider-list.ts";
import type { SettingRow } from "../setting-row.ts";
import { choice, flag, httpUrl, list, seconds, text, whole, timeout } from "../values.ts";

export const llmRows = {
  provider: {
    env: "MODEL_PROVIDER",
    schema: choice(providerWords),
    doc: "Where the model is. Without it: what the other three say, else the offline `demo` model.",
    shown: "from what is set",
    alias: ["OpenClaw__Llm__Provider"],
  },
  key: {
    env: "MODEL_PROVIDER_KEY",
    live: true,
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
  providers: {
    env: "OPENCLAW_PROVIDERS",
    live: true,
    schema: providerList,
    fallback: "",
    doc: 'Further providers as a JSON list: `[{"name": "groq", "key": "…"}, {"name": "lab", "endpoint": "http://gpu:8000/v1", "models": ["qwen"]}]`. Their models are named `groq/…`, `lab/qwen`. Without a `MODEL_PROVIDER_*` the first of them is the default.',
    secret: true,
    shown: "none",
  },
  fallbackModels: {
    env: "OPENCLAW_FALLBACK_MODELS",
    schema: list,
    fallback: "",
    doc: "Models that are asked in turn when one has failed, such as `gpt-4o-mini,groq/llama-3.3-70b-versatile`.",
  },
  timeoutMs: {
    env: "OPENCLAW_LLM_TIMEOUT_SECONDS",
    schema: timeout,
    fallback: "120",
    doc: "Seconds that one call of the model may take, with all its tries.",
    alias: ["OpenClaw__Llm__TimeoutSeconds"],
  },
  connectMs: {
    env: "OPENCLAW_LLM_CONNECT_SECONDS",
    schema: seconds(),
    // The connection is then the proxy's.
    fallback: (environment) => (usesProxy(environment) ? "0" : "10"),
    doc: "Seconds until a provider must have taken the connection; 0: not looked at.",
    shown: "`10`, behind a proxy `0`",
  },
  firstTokenMs: {
    env: "OPENCLAW_LLM_FIRST_TOKEN_SECONDS",
    schema: timeout,
    fallback: "60",
    doc: "Seconds until a model must have begun to answer; a local one is loaded in them.",
  },
  silenceMs: {
    env: "OPENCLAW_LLM_SILENCE_SECONDS",
    schema: timeout,
    fallback: "60",
    doc: "Seconds for which a model may be silent in the middle of an answer.",
  },
  retries: {
    env: "OPENCLAW_LLM_RETRIES",
    schema: whole(0, 10),
    fallback: "3",
    doc: "Further tries of a call that failed before its first token, where that can help.",
    alias: ["OpenClaw__Llm__RetryCount"],
  },
  breakerThreshold: {
    env: "OPENCLAW_BREAKER_THRESHOLD",
    schema: whole(0, 1000),
    fallback: "5",
    doc: "Failures of a model in a row after which it is left alone for a while; 0: never.",
    alias: ["OpenClaw__Llm__CircuitBreakerThreshold"],
  },
  breakerCooldownMs: {
    env: "OPENCLAW_BREAKER_COOLDOWN_SECONDS",
    schema: seconds(),
    fallback: "30",
    doc: "Seconds for which a failing model is left alone before one call tries it.",
    alias: ["OpenClaw__Llm__CircuitBreakerCooldownSeconds"],
  },
  maxConcurrent: {
    env: "OPENCLAW_LLM_MAX_CONCURRENT",
    schema: whole(1, 10_000),
    fallback: "1000",
    doc: "Calls of one provider at once; others wait up to ten seconds for a place. With several providers, less than `OPENCLAW_MAX_CONCURRENT_TURNS` keeps one that hangs from taking every slot.",
  },
  azureApiVersion: {
    env: "OPENCLAW_AZURE_API_VERSION",
    schema: text,
    fallback: "2024-10-21",
    doc: "API version in the addresses of Azure's deployments.",
  },
  requireModel: {
    env: "OPENCLAW_REQUIRE_MODEL",
    schema: flag,
    fallback: "false",
    doc: "Refuse to start with the `demo` model.",
  },
} as const satisfies Record<string, SettingRow>;
