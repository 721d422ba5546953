import { AppError } from "../errors.ts";
import { type Fetch, kindOf, type ProviderKind, providerTable } from "./provider-table.ts";
import type { Limits } from "./timeouts.ts";

/** One provider as the settings name it. */
export interface ProviderSettings {
  readonly provider?: ProviderKind;
  readonly key?: string;
  readonly endpoint?: string;
  /** The one that answers when none is asked for. */
  readonly model?: string;
  /** The only ones on offer; absent: those that it lists. */
  readonly models?: readonly string[];
  readonly apiVersion?: string;
}

/** What all providers share. */
export interface SharedSettings {
  /** Of a whole call; the others may be absent, and are then as long. */
  readonly timeoutMs: number;
  readonly firstTokenMs?: number;
  readonly silenceMs?: number;
  /** After that it is looked whether there is a connection; 0 (also when absent): never. */
  readonly connectMs?: number;
  readonly azureApiVersion?: string;
}

export type LlmSettings = ProviderSettings & SharedSettings;

/** One of `OPENCLAW_PROVIDERS`. */
export interface NamedProvider extends ProviderSettings {
  readonly name: string;
}

/** Where models are, with everything known that can be known without asking there. */
export interface Provider {
  readonly kind: ProviderKind;
  /** What its models may be prefixed with, and what people are told. */
  readonly name: string;
  /** It is one of `OPENCLAW_PROVIDERS`. */
  readonly isNamed: boolean;
  /** Base URL without a slash at the end. */
  readonly endpoint: string;
  readonly key?: string;
  /** Absent: the first model that the provider lists. */
  readonly model?: string;
  readonly models?: readonly string[];
  /** Azure: what its deployment paths end in. */
  readonly apiVersion?: string;
  readonly limits: Limits;
  readonly connectMs: number;
  /** Answers in place of the network. */
  readonly fetch?: Fetch;
  /** Tells in place of the network whether anybody takes a connection. */
  readonly reachable?: () => Promise<boolean>;
}

/** Works out the provider from what is set; throws `bad_request` naming the setting that is missing. */
export function inferProvider(settings: LlmSettings): Provider {
  const { provider, key, endpoint, model } = settings;
  const bare = key === undefined && model === undefined;
  const kind = provider ?? (endpoint !== undefined ? kindOf(endpoint) : bare ? "demo" : "openai");
  return complete({ kind, name: kind, isNamed: false }, settings, settings);
}

/**
 * Every provider of the settings, the default one first: that of `MODEL_PROVIDER_*`, else the first of
 * `OPENCLAW_PROVIDERS`, else the demo.
 */
export function inferProviders(
  settings: LlmSettings & { providers?: readonly NamedProvider[] },
): [Provider, ...Provider[]] {
  const { provider, key, endpoint, model, providers = [] } = settings;
  const isSet = [provider, key, endpoint, model].some((value) => value !== undefined);
  const named = providers.map((each) => {
    const kind =
      each.provider ?? (each.endpoint === undefined ? kindOfName(each.name) : kindOf(each.endpoint));
    return complete({ kind, name: each.name, isNamed: true }, each, settings);
  });
  const [first, ...rest] = named;
  const all: [Provider, ...Provider[]] =
    isSet || first === undefined ? [inferProvider(settings), ...named] : [first, ...rest];
  const names = all.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return all;
  throw new AppError(
    "bad_request",
    `Two providers are called \`${twice}\`: rename one in OPENCLAW_PROVIDERS.`,
    {
      param: "OPENCLAW_PROVIDERS",
    },
  );
}

/** What is called `groq` and has no address is Groq. */
const kindOfName = (name: string): ProviderKind => {
  const known = Object.keys(providerTable).find((kind) => kind === name);
  return known === undefined ? "openai-compatible" : (known as ProviderKind);
};

type Identity = Pick<Provider, "kind" | "name" | "isNamed">;

function complete(identity: Identity, settings: ProviderSettings, shared: SharedSettings): Provider {
  const { kind } = identity;
  const row = providerTable[kind];
  const { timeoutMs, firstTokenMs = timeoutMs, silenceMs = timeoutMs, connectMs = 0 } = shared;
  const limits = { firstTokenMs, silenceMs, totalMs: timeoutMs };
  if (kind === "demo")
    return {
      ...identity,
      endpoint: row.endpoint ?? "",
      model: row.model,
      limits,
      connectMs,
      fetch: row.fetch,
    };
  const { key, models } = settings;
  const endpoint = settings.endpoint ?? row.endpoint;
  const model = settings.model ?? models?.[0] ?? row.model;
  if (endpoint === undefined) {
    const why = `the provider \`${kind}\` has no usual address: set the base URL of its API`;
    throw missing(settingOf(identity, "endpoint"), why);
  }
  if (row.needsKey && key === undefined) {
    const why = `the provider \`${kind}\` needs a key. For a server that needs none set MODEL_PROVIDER=openai-compatible and its MODEL_PROVIDER_ENDPOINT`;
    throw missing(settingOf(identity, "key"), why);
  }
  if (row.needsModel && model === undefined) {
    const why = `the provider \`${kind}\` does not list its deployments: name the one to use`;
    throw missing(settingOf(identity, "model"), why);
  }
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    const param = settingOf(identity, "key");
    const what = "holds a character that no key has: a space, a line break or one beyond ASCII";
    throw new AppError("bad_request", `${param} ${what}.`, { param });
  }
  const apiVersion = settings.apiVersion ?? shared.azureApiVersion ?? "2024-10-21";
  return {
    ...identity,
    endpoint: withPath(kind === "azure" ? endpoint.replace(/\/openai\/*$/, "") : endpoint, row.path),
    key,
    model,
    ...(models !== undefined && { models }),
    // Azure's newer paths end in /openai/v1 and are like everybody's.
    ...(kind === "azure" && !endpoint.endsWith("/openai/v1") && { apiVersion }),
    limits,
    connectMs,
  };
}

/** The setting that holds a field of a provider, for messages. */
export const settingOf = (
  { isNamed, name }: Pick<Provider, "isNamed" | "name">,
  field: "key" | "endpoint" | "model",
): string =>
  isNamed ? `\`${field}\` of \`${name}\` in OPENCLAW_PROVIDERS` : `MODEL_PROVIDER_${field.toUpperCase()}`;

const missing = (setting: string, why: string) =>
  new AppError("bad_request", `${setting} is not set: ${why}.`, { param: setting });

function withPath(endpoint: string, path = ""): string {
  const bare = endpoint.replace(/\/+$/, "");
  return new URL(bare).pathname === "/" ? `${bare}${path}` : bare;
}
