export const providerKinds = [
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
export type ProviderKind = (typeof providerKinds)[number];

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ProviderRow {
  /** Where it usually is. */
  readonly endpoint?: string;
  /** An endpoint at such a host (or below it) is this provider. */
  readonly host?: string;
  /** An endpoint with this port is this provider, unless its host says otherwise. */
  readonly port?: string;
  /** Where an endpoint without a path is completed, because there is no other. */
  readonly path?: string;
  readonly model?: string;
  readonly needsKey?: boolean;
  /** Its models cannot be listed: one has to be named. */
  readonly needsModel?: boolean;
  /** How it calls the limit of a reply; default `max_tokens`, which nearly all take. */
  readonly limitName?: "max_completion_tokens";
  /** Answers in place of the network. */
  readonly fetch?: Fetch;
}

/** What differs between the providers. */
export const providerTable: Readonly<Record<ProviderKind, ProviderRow>> = {
  openai: {
    endpoint: "https://api.openai.com/v1",
    host: "api.openai.com",
    path: "/v1",
    model: "gpt-4o",
    needsKey: true,
    limitName: "max_completion_tokens",
  },
  azure: { host: "openai.azure.com", needsKey: true, needsModel: true, limitName: "max_completion_tokens" },
  ollama: { endpoint: "http://127.0.0.1:11434/v1", port: "11434", path: "/v1" },
  lmstudio: { endpoint: "http://127.0.0.1:1234/v1", port: "1234", path: "/v1" },
  vllm: { endpoint: "http://127.0.0.1:8000/v1", path: "/v1" },
  llamacpp: { endpoint: "http://127.0.0.1:8080/v1", path: "/v1" },
  openrouter: {
    endpoint: "https://openrouter.ai/api/v1",
    host: "openrouter.ai",
    path: "/api/v1",
    needsKey: true,
  },
  groq: {
    endpoint: "https://api.groq.com/openai/v1",
    host: "api.groq.com",
    path: "/openai/v1",
    needsKey: true,
    limitName: "max_completion_tokens",
  },
  together: {
    endpoint: "https://api.together.xyz/v1",
    host: "api.together.xyz",
    path: "/v1",
    needsKey: true,
  },
  deepseek: {
    endpoint: "https://api.deepseek.com/v1",
    host: "api.deepseek.com",
    path: "/v1",
    model: "deepseek-chat",
    needsKey: true,
  },
  mistral: { endpoint: "https://api.mistral.ai/v1", host: "api.mistral.ai", path: "/v1", needsKey: true },
  gemini: {
    endpoint: "https://generativelanguage.googleapis.com/v1beta/openai",
    host: "generativelanguage.googleapis.com",
    path: "/v1beta/openai",
    needsKey: true,
  },
  anthropic: {
    endpoint: "https://api.anthropic.com/v1",
    host: "api.anthropic.com",
    path: "/v1",
    needsKey: true,
  },
  "openai-compatible": {},
  demo: {
    endpoint: "http://demo.invalid/v1",
    model: "demo",
    fetch: async (url, init) => (await import("./demo.ts")).answerAsDemo(url, init),
  },
};

/** Which provider an address belongs to. */
export function kindOf(endpoint: string): ProviderKind {
  const { hostname, port } = new URL(endpoint);
  const isAt = (host = "-") => hostname === host || hostname.endsWith(`.${host}`);
  const kinds = providerKinds.filter((kind) => kind !== "demo");
  return (
    kinds.find((kind) => isAt(providerTable[kind].host)) ??
    kinds.find((kind) => port !== "" && providerTable[kind].port === port) ??
    "openai-compatible"
  );
}
