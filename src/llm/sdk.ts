import type { OpenAI } from "openai";
import type { Fetch } from "./provider-table.ts";
import type { Provider } from "./providers.ts";

type SdkRequest = Parameters<OpenAI["buildRequest"]>[0];
type Built = Awaited<ReturnType<OpenAI["buildRequest"]>>;
type FetchArguments = Parameters<OpenAI["fetchWithTimeout"]>;

/** Loads the `openai` package and opens it for a provider; its requests go out through `send`. */
export async function openSdk(provider: Provider, send: Fetch): Promise<OpenAI> {
  const { OpenAI } = await import("openai");
  const LeanSdk = leanSdk(OpenAI, send);
  return new LeanSdk({
    baseURL: provider.endpoint,
    apiKey: provider.key ?? "none",
    defaultHeaders: { "user-agent": "openclaw", ...keyHeaders(provider) },
    // Whatever is not given here, the package would read from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: "off",
    maxRetries: 0,
  });
}

/** Azure takes its own keys in a header of its own, and the tokens of Entra as everybody does. */
function keyHeaders({ kind, key }: Provider): Record<string, string | null> {
  if (key === undefined) return { authorization: null };
  const isToken = /^ey[\w-]+\.[\w-]+\.[\w-]*$/.test(key);
  return kind === "azure" && !isToken ? { authorization: null, "api-key": key } : {};
}

const traceHeader = "traceparent";

/** A trace is of one request: it must not get into the headers that are built once. */
function withoutTrace(given: SdkRequest): { traceparent?: string; request: SdkRequest } {
  const { headers } = given;
  if (typeof headers !== "object" || headers === null || !(traceHeader in headers)) return { request: given };
  const { [traceHeader]: traceparent, ...rest } = headers;
  const request = { ...given, headers: rest };
  return typeof traceparent === "string" ? { traceparent, request } : { request };
}

function withTrace(built: Built["req"]["headers"], traceparent: string): Headers {
  const headers = new Headers(built);
  headers.set(traceHeader, traceparent);
  return headers;
}

/**
 * The package without what it does again for each call: it builds the same headers, and puts a timer and an abort
 * listener beside ours. That is half of the processor time of a call (at 16 at once 0.09 ms against 0.045).
 * Good for requests to one route that differ in nothing but the body, the signal and the trace.
 */
const leanSdk = (Sdk: typeof OpenAI, send: Fetch) =>
  class LeanSdk extends Sdk {
    readonly #built = new Map<string, Promise<Built>>();

    override async buildRequest(given: SdkRequest): Promise<Built> {
      const { traceparent, request } = withoutTrace(given);
      const route = `${request.method} ${request.path}`;
      let building = this.#built.get(route);
      if (!building) {
        building = super.buildRequest({ ...request, signal: undefined });
        this.#built.set(route, building);
      }
      const { req, url, timeout } = await building;
      const { body, signal } = request;
      const headers = traceparent === undefined ? req.headers : withTrace(req.headers, traceparent);
      return { req: { ...req, ...(typeof body === "string" && { body }), headers, signal }, url, timeout };
    }

    override fetchWithTimeout(url: FetchArguments[0], init: FetchArguments[1]): Promise<Response> {
      return send(String(url), { ...init, method: init?.method?.toUpperCase() });
    }
  };
