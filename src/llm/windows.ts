import { llmLog as log } from "../telemetry/log.ts";
import type { Client } from "./client.ts";
import { type ForeignObject, parseJson, readCount, readList, readObject, readText } from "./foreign-json.ts";
import type { ProviderKind } from "./provider-table.ts";
import type { Provider } from "./providers.ts";
import { readBytes } from "./read-bytes.ts";

const probeTimeoutMs = 1000;
const maxProbeBytes = 4 * 1024 * 1024;
const freshMs = 60_000;
/** What is not loaded yet, or was not told, is looked at again sooner. */
const guessFreshMs = 5_000;
const maxModels = 1000;
/** What Ollama gives a model that says nothing of it. */
const ollamaDefault = 4096;
const leastUseful = 8192;

/** Windows of models whose providers do not tell them; the first that matches. */
const known: readonly (readonly [RegExp, number])[] = [
  [/^gpt-5/, 272_000],
  [/^gpt-4\.1/, 1_000_000],
  [/^gpt-4o|^gpt-4-turbo|^o1-mini|^o1-preview/, 128_000],
  [/^o[134]/, 200_000],
  [/^gpt-3\.5/, 16_000],
  [/^gpt-4/, 8192],
  [/^claude-/, 200_000],
  [/^(?:models\/)?gemini-/, 1_000_000],
  [/^deepseek-/, 128_000],
];

/** From the table, for the providers whose names mean the same everywhere. */
export const knownWindow = (kind: ProviderKind, model: string): number | undefined =>
  ["openai", "azure", "anthropic", "gemini", "deepseek"].includes(kind)
    ? known.find(([pattern]) => pattern.test(model))?.[1]
    : undefined;

/** What an item of a list of models says of its window, by the names that providers have for it. */
export const readWindow = (model: ForeignObject | undefined): number | undefined =>
  readCount(model?.context_length) ??
  readCount(model?.context_window) ??
  readCount(model?.max_model_len) ??
  readCount(model?.max_context_length) ??
  readCount(readObject(model?.meta)?.n_ctx);

type Found = { readonly tokens: number | undefined; readonly isSure: boolean };

/**
 * Asks a server on one's own machine for the window that is in force, which is often far smaller than what the model could
 * have, and what is beyond it is cut without a word. Undefined for providers that have no such thing.
 */
export function localWindows(
  { kind, endpoint }: Provider,
  client: Client,
  now: () => number,
): ((model: string) => Promise<number | undefined>) | undefined {
  const find = kind === "ollama" ? findOllama : kind === "lmstudio" ? findLmStudio : undefined;
  if (!find) return undefined;
  const cache = new Map<string, { readonly tokens: Promise<number | undefined>; until: number }>();
  const warned = new Set<string>();

  async function ask(model: string, entry: { until: number }): Promise<number | undefined> {
    const root = new URL(endpoint).origin;
    const found = await find?.(root, model, client).catch(() => undefined);
    if (found?.isSure) entry.until = now() + freshMs;
    const tokens = found?.tokens;
    if (tokens !== undefined && tokens < leastUseful && !warned.has(model) && warned.size < maxModels) {
      warned.add(model);
      log.warn(smallWindow(kind, model, tokens));
    }
    return tokens;
  }

  return (model) => {
    const kept = cache.get(model);
    if (kept && now() < kept.until) return kept.tokens;
    const entry = { tokens: Promise.resolve<number | undefined>(undefined), until: now() + guessFreshMs };
    entry.tokens = ask(model, entry);
    if (cache.size >= maxModels) cache.clear();
    cache.set(model, entry);
    return entry.tokens;
  };
}

/** For the log and the doctor. */
export const smallWindow = (kind: ProviderKind, model: string, tokens: number) =>
  `${model} has a window of ${tokens} tokens, which is little for tools and a conversation. ${
    kind === "ollama"
      ? "Start Ollama with OLLAMA_CONTEXT_LENGTH=32768, or set num_ctx in the model's Modelfile."
      : "Load it with a larger context length."
  }`;

async function findOllama(root: string, model: string, { get, post }: Client): Promise<Found> {
  const loaded = await readAnswer((signal) => get(`${root}/api/ps`, signal));
  const isIt = (name: unknown) => name === model || name === `${model}:latest`;
  const running = readList(loaded?.models)
    .map(readObject)
    .find((each) => isIt(each?.name) || isIt(each?.model));
  const inForce = readCount(running?.context_length);
  if (inForce !== undefined) return { tokens: inForce, isSure: true };
  const shown = await readAnswer((signal) => post(`${root}/api/show`, JSON.stringify({ model }), { signal }));
  if (!shown) return { tokens: undefined, isSure: false };
  const set = /^num_ctx\s+(\d+)/m.exec(readText(shown.parameters))?.[1];
  const info = Object.entries(readObject(shown.model_info) ?? {});
  const most = readCount(info.find(([name]) => name.endsWith(".context_length"))?.[1]);
  return {
    tokens: set === undefined ? Math.min(most ?? ollamaDefault, ollamaDefault) : Number(set),
    isSure: false,
  };
}

async function findLmStudio(root: string, model: string, { get }: Client): Promise<Found> {
  const listed = await readAnswer((signal) => get(`${root}/api/v0/models`, signal));
  const found = readList(listed?.data)
    .map(readObject)
    .find((each) => each?.id === model);
  const inForce = readCount(found?.loaded_context_length);
  return { tokens: inForce ?? readCount(found?.max_context_length), isSure: inForce !== undefined };
}

async function readAnswer(
  ask: (signal: AbortSignal) => Promise<Response>,
): Promise<ForeignObject | undefined> {
  const answer = await ask(AbortSignal.timeout(probeTimeoutMs));
  return readObject(parseJson(new TextDecoder().decode(await readBytes(answer, maxProbeBytes))));
}
