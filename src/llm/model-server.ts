import { names } from "../telemetry/names.ts";

/** Where a model is, as far as who watches it must know. */
export interface ModelServer {
  /** Name of the provider here. */
  readonly name: string;
  readonly kind?: string;
  readonly endpoint?: string;
  /** The model that is asked when a request names none. */
  readonly model?: string;
}

/** What the GenAI conventions call who answers at these hosts; all others speak OpenAI's format, and are called so. */
const known: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)deepseek\.com$/, "deepseek"],
  [/(^|\.)anthropic\.com$/, "anthropic"],
  [/(^|\.)generativelanguage\.googleapis\.com$/, "gcp.gemini"],
  [/(^|\.)mistral\.ai$/, "mistral_ai"],
  [/(^|\.)groq\.com$/, "groq"],
  [/(^|\.)perplexity\.ai$/, "perplexity"],
  [/(^|\.)x\.ai$/, "x_ai"],
];

/** `gen_ai.provider.name`, and where its server is. */
export function serverAttributes({ kind, endpoint }: ModelServer) {
  const url = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const found = known.find(([host]) => url !== undefined && host.test(url.hostname));
  const port = url === undefined ? 0 : Number(url.port || (url.protocol === "http:" ? 80 : 443));
  return {
    [names.provider]: kind === "azure" ? "azure.ai.openai" : (found?.[1] ?? "openai"),
    [names.serverAddress]: url?.hostname,
    [names.serverPort]: port || undefined,
  };
}
