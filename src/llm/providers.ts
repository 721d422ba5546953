import { AppError } from "../errors.ts";

export const providerNames = ["openai", "ollama", "openai-compatible", "demo"] as const;
export type ProviderName = (typeof providerNames)[number];

/** What the settings say of the model; all but the time-out may be absent. */
export interface LlmSettings {
  readonly provider?: ProviderName;
  readonly key?: string;
  readonly endpoint?: string;
  readonly model?: string;
  readonly timeoutMs: number;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where the model is, with everything known that can be known without asking there. */
export interface Provider {
  readonly name: ProviderName;
  /** Base URL without a slash at the end. */
  readonly endpoint: string;
  readonly key?: string;
  /** Absent: the first model that the provider lists. */
  readonly model?: string;
  readonly timeoutMs: number;
  /** Answers in place of the network. */
  readonly fetch?: Fetch;
}

interface ProviderRow {
  readonly endpoint?: string;
  readonly model?: string;
  readonly needsKey?: boolean;
  /** Where an endpoint without a path is completed, because there is no other. */
  readonly path?: string;
  readonly fetch?: Fetch;
}

/** What differs between the providers. */
const rows: Readonly<Record<ProviderName, ProviderRow>> = {
  openai: { endpoint: "https://api.openai.com/v1", path: "/v1", model: "gpt-4o", needsKey: true },
  ollama: { endpoint: "http://127.0.0.1:11434/v1", path: "/v1" },
  "openai-compatible": {},
  demo: {
    endpoint: "http://demo.invalid/v1",
    model: "demo",
    fetch: async (url, init) => (await import("./demo.ts")).answerAsDemo(url, init),
  },
};

/** Works out the provider from what is set; throws `bad_request` naming the setting that is missing. */
export function inferProvider(settings: LlmSettings): Provider {
  const name = settings.provider ?? inferName(settings);
  const row = rows[name];
  if (name === "demo")
    return {
      name,
      endpoint: row.endpoint ?? "",
      model: row.model,
      timeoutMs: settings.timeoutMs,
      fetch: row.fetch,
    };
  const endpoint = settings.endpoint ?? row.endpoint;
  if (endpoint === undefined) {
    throw missing(
      "MODEL_PROVIDER_ENDPOINT",
      `the provider \`${name}\` has no usual address: set the base URL of its API`,
    );
  }
  if (row.needsKey && settings.key === undefined) {
    throw missing(
      "MODEL_PROVIDER_KEY",
      `the provider \`${name}\` needs a key. For a server that needs none set MODEL_PROVIDER=openai-compatible and its MODEL_PROVIDER_ENDPOINT`,
    );
  }
  if (settings.key !== undefined && !/^[\x21-\x7e]+$/.test(settings.key)) {
    throw new AppError(
      "bad_request",
      "MODEL_PROVIDER_KEY holds a character that no key has: a space, a line break or one beyond ASCII.",
      { param: "MODEL_PROVIDER_KEY" },
    );
  }
  return {
    name,
    endpoint: withPath(endpoint, row.path),
    key: settings.key,
    model: settings.model ?? row.model,
    timeoutMs: settings.timeoutMs,
  };
}

function inferName({ key, endpoint, model }: LlmSettings): ProviderName {
  if (endpoint === undefined) return key === undefined && model === undefined ? "demo" : "openai";
  const { hostname, port } = new URL(endpoint);
  if (hostname === "api.openai.com") return "openai";
  return port === "11434" ? "ollama" : "openai-compatible";
}

const missing = (setting: string, why: string) =>
  new AppError("bad_request", `${setting} is not set: ${why}.`, { param: setting });

function withPath(endpoint: string, path = ""): string {
  const bare = endpoint.replace(/\/+$/, "");
  return new URL(bare).pathname === "/" ? `${bare}${path}` : bare;
}
