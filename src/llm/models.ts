import { AppError, cancelled } from "../errors.ts";
import { type Client, createClient } from "./client.ts";
import { excerpt, parseJson, readList, readObject, readText } from "./foreign-json.ts";
import type { Models } from "./llm.ts";
import { type Provider, settingOf } from "./providers.ts";
import { readBytes } from "./read-bytes.ts";
import { knownWindow, localWindows, readWindow } from "./windows.ts";

const freshMs = 60_000;
/** A list that could not be had is asked for again sooner. */
const failedFreshMs = 5_000;
const listTimeoutMs = 10_000;
const windowWaitMs = 1000;
const maxListBytes = 4 * 1024 * 1024;
const maxModels = 1000;
const maxIdChars = 256;
const namedInErrors = 20;

export interface ProviderModels extends Models {
  /** The tokens that a model's window holds, where that is known; cached, and never in the way of a turn for long. */
  window(model: string | undefined, signal: AbortSignal): Promise<number | undefined>;
  /** The configured model, else the provider's default, else the first that it lists (the same one ever after). */
  defaultModel(signal: AbortSignal): Promise<string>;
}

interface Offer {
  readonly id: string;
  /** Tokens, where the list tells. */
  readonly window: number | undefined;
}

/** What one provider offers, asked at most once a minute; when it does not tell, the configured model alone. */
export function createModels(provider: Provider, now: () => number = Date.now): ProviderModels {
  const client = createClient(provider);
  const local = localWindows(provider, client, now);
  let asked: { readonly offers: Promise<readonly Offer[]>; until: number } | undefined;
  let last: readonly Offer[] | undefined;
  let first = provider.model;

  /** One request for all who ask at the same time, so it goes by no caller's signal. */
  function listed(): Promise<readonly Offer[]> {
    if (asked && now() < asked.until) return asked.offers;
    const mine = { offers: listOffers(client), until: now() + freshMs };
    mine.offers.then(
      (offers) => {
        last = offers;
      },
      () => {
        mine.until = now() + failedFreshMs;
      },
    );
    asked = mine;
    return mine.offers;
  }

  /** The last list that there was, while a new one is fetched; only the first is waited for, and not for long. */
  async function lastOffers(signal: AbortSignal): Promise<readonly Offer[]> {
    const listing = listed();
    if (last === undefined) {
      last = [];
      const limit = AbortSignal.any([signal, AbortSignal.timeout(windowWaitMs)]);
      await orAborted(listing, limit).catch(() => undefined);
    }
    listing.catch(() => undefined);
    return last;
  }

  async function offered(signal: AbortSignal): Promise<readonly string[]> {
    // Azure lists what could be deployed, which is not what is.
    const fixed =
      provider.models ?? (provider.kind === "azure" && provider.model ? [provider.model] : undefined);
    if (fixed) return first === undefined ? fixed : [first, ...fixed.filter((id) => id !== first)];
    try {
      const ids = (await orAborted(listed(), signal)).map(({ id }) => id);
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
      checkOffered(id, await offered(signal));
    },
    async defaultModel(signal) {
      const model = first ?? (await offered(signal))[0];
      if (model === undefined)
        throw client.faults.broken(`lists no models: set ${settingOf(provider, "model")}`);
      return model;
    },
    async window(asked, signal) {
      const model = asked ?? first;
      if (model === undefined || provider.fetch) return undefined;
      if (local) return local(model);
      const known = knownWindow(provider.kind, model);
      if (known !== undefined || provider.models || provider.kind === "azure") return known;
      return (await lastOffers(signal)).find(({ id }) => id === model)?.window;
    },
  };
}

/** Throws `model_not_found`, naming what there is, for an id that is not on offer. */
export function checkOffered(id: string, ids: readonly string[]): void {
  if (ids.includes(id)) return;
  const named = ids.slice(0, namedInErrors).join(", ") || "none";
  const more = ids.length > namedInErrors ? ` and ${ids.length - namedInErrors} more` : "";
  const message = `There is no model \`${excerpt(id)}\`. On offer: ${named}${more}.`;
  throw new AppError("model_not_found", message, { param: "model" });
}

async function listOffers({ get, faults }: Client): Promise<readonly Offer[]> {
  const signal = AbortSignal.timeout(listTimeoutMs);
  try {
    const body = new TextDecoder().decode(await readBytes(await get("/models", signal), maxListBytes));
    const list = parseJson(body);
    const offers = readList(Array.isArray(list) ? list : readObject(list)?.data)
      .slice(0, maxModels)
      .map((model) => ({ id: readText(readObject(model)?.id), window: readWindow(readObject(model)) }))
      .filter(({ id }) => id !== "" && id.length <= maxIdChars);
    if (offers.length === 0) throw faults.broken("lists no models", body);
    return offers;
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
