import { AppError, cancelled } from "../errors.ts";
import { type Client, createClient } from "./client.ts";
import { excerpt, parseJson, readList, readObject, readText } from "./foreign-json.ts";
import type { Models } from "./llm.ts";
import type { Provider } from "./providers.ts";
import { readBytes } from "./read-bytes.ts";

const freshMs = 60_000;
/** A list that could not be had is asked for again sooner. */
const failedFreshMs = 5_000;
const listTimeoutMs = 10_000;
const maxListBytes = 4 * 1024 * 1024;
const maxModels = 1000;
const maxIdChars = 256;
const namedInErrors = 20;

export interface ProviderModels extends Models {
  /** The configured model, else the provider's default, else the first that it lists (the same one ever after). */
  defaultModel(signal: AbortSignal): Promise<string>;
}

/** What one provider offers, asked at most once a minute; when it does not tell, the configured model alone. */
export function createModels(provider: Provider, now: () => number = Date.now): ProviderModels {
  const client = createClient(provider);
  let asked: { readonly ids: Promise<readonly string[]>; until: number } | undefined;
  let first = provider.model;

  /** One request for all who ask at the same time, so it goes by no caller's signal. */
  function listed(): Promise<readonly string[]> {
    if (asked && now() < asked.until) return asked.ids;
    const mine = { ids: listIds(client), until: now() + freshMs };
    mine.ids.catch(() => {
      mine.until = now() + failedFreshMs;
    });
    asked = mine;
    return mine.ids;
  }

  async function offered(signal: AbortSignal): Promise<readonly string[]> {
    try {
      const ids = await orAborted(listed(), signal);
      first ??= ids[0];
      return first === undefined ? [] : [first, ...ids.filter((id) => id !== first)];
    } catch (error) {
      if (signal.aborted || first === undefined) throw error;
      return [first];
    }
  }

  return {
    async list(signal) {
      const ids = await offered(signal);
      return ids.map((id) => ({ id, provider: provider.name }));
    },
    async check(id, signal) {
      const ids = await offered(signal);
      if (ids.includes(id)) return;
      const named = ids.slice(0, namedInErrors).join(", ") || "none";
      const more = ids.length > namedInErrors ? ` and ${ids.length - namedInErrors} more` : "";
      const message = `There is no model \`${excerpt(id)}\`. On offer: ${named}${more}.`;
      throw new AppError("model_not_found", message, { param: "model" });
    },
    async defaultModel(signal) {
      const model = first ?? (await offered(signal))[0];
      if (model === undefined) throw client.faults.broken("lists no models: set MODEL_PROVIDER_MODEL");
      return model;
    },
  };
}

async function listIds({ get, faults }: Client): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(listTimeoutMs);
  try {
    const body = new TextDecoder().decode(await readBytes(await get("/models", signal), maxListBytes));
    const list = parseJson(body);
    const ids = readList(Array.isArray(list) ? list : readObject(list)?.data)
      .slice(0, maxModels)
      .map((model) => readText(readObject(model)?.id))
      .filter((id) => id !== "" && id.length <= maxIdChars);
    if (ids.length === 0) throw faults.broken("lists no models", body);
    return ids;
  } catch (error) {
    if (signal.aborted) throw faults.timedOut(`did not list its models within ${listTimeoutMs / 1000} s`);
    throw error instanceof AppError ? error : faults.lost(error);
  }
}

/** Waits no longer than until the signal aborts; the promise itself goes on. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(cancelled());
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(cancelled());
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener("abort", abort));
}
