import type { OpenAI } from "openai";
import { AppError } from "../errors.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { Provider } from "./providers.ts";
import { readBytes } from "./read-bytes.ts";
import { openSdk } from "./sdk.ts";

const maxErrorBytes = 64 * 1024;

export interface PostOptions {
  readonly signal: AbortSignal;
  /** By which the provider goes on with our trace. */
  readonly traceparent?: string | undefined;
}

/**
 * One provider over HTTP. Both resolve with an answer of status 2xx whose body is still to be read, and throw
 * `AppError` for any other, or for none. An abort is thrown as what it is: the caller knows why it aborted.
 */
export interface Client {
  readonly faults: Faults;
  post(path: string, body: string, of: PostOptions): Promise<Response>;
  get(path: string, signal: AbortSignal): Promise<Response>;
}

/** The `openai` package for one provider; loaded by the first request. */
export function createClient(provider: Provider): Client {
  const faults = createFaults(provider);
  let opened: { readonly key: string | undefined; readonly sdk: Promise<OpenAI> } | undefined;
  const open = () => {
    const { key } = provider;
    // A key can be replaced while the server runs.
    if (opened === undefined || opened.key !== key)
      opened = { key, sdk: openSdk(provider, (url, init) => fetchSuccess(provider, faults, url, init)) };
    return opened.sdk;
  };

  async function unwrap(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
    try {
      return await answer;
    } catch (error) {
      if (signal.aborted) throw error;
      // The package wraps what our `fetch` throws.
      const inner = error instanceof Error ? (error.cause ?? error) : error;
      throw inner instanceof AppError ? inner : faults.unreachable(inner);
    }
  }

  return {
    faults,
    async post(path, body, { signal, traceparent }) {
      const sdk = await open();
      // With a content type of our own the text is sent as it is.
      const headers = { "content-type": "application/json", ...(traceparent && { traceparent }) };
      return unwrap(sdk.post(path, { body, headers, signal }).asResponse(), signal);
    },
    async get(path, signal) {
      const sdk = await open();
      return unwrap(sdk.get(path, { signal }).asResponse(), signal);
    },
  };
}

async function fetchSuccess(
  provider: Provider,
  faults: Faults,
  url: string,
  init: RequestInit,
): Promise<Response> {
  // A redirect is not followed: it would carry the key to whoever is named there. Our deadline is the only time-out.
  const bounds: BunFetchRequestInit = { ...init, redirect: "manual", timeout: false };
  const response = await (provider.fetch ?? fetch)(url, bounds);
  if (response.ok) return response;
  const said = new TextDecoder().decode(await readBytes(response, maxErrorBytes));
  throw faults.refused(response.status, said, response.headers);
}
