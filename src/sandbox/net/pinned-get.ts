import type { IncomingMessage, RequestOptions } from "node:http";
import { AppError } from "../../errors.ts";
import type { Destination } from "./net.ts";
import { shown } from "../paths.ts";

const connectMs = 5000;
const mostTries = 3;
const headLimit = 65_536;

const headers = (accept: string | undefined) => ({
  "user-agent": "Mozilla/5.0 (compatible; openclaw)",
  accept: accept ?? "text/html,application/xhtml+xml,text/plain,application/json;q=0.9,*/*;q=0.8",
  "accept-encoding": "gzip, br",
  "accept-language": "en,*;q=0.5",
});

/** Another address of the host may do better than after one of these. */
const mayTryNext: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EADDRNOTAVAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/**
 * Asks one address for a URL, by the name of the URL: that is what the certificate is checked for. `node:http` and not
 * `fetch`: the name is looked up by our function alone, and no proxy of the environment comes between.
 */
async function ask(url: URL, address: string, accept: string | undefined, signal: AbortSignal) {
  const client = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const family = address.includes(":") ? 6 : 4;
  const options: RequestOptions = {
    host: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers(accept), connection: "close" },
    // A connection of its own: none that was opened for another name is used again.
    agent: false,
    maxHeaderSize: headLimit,
    lookup: (_name, { all }, done) =>
      all === true ? done(null, [{ address, family }]) : done(null, address, family),
    signal,
  };
  const request = client.get(options, resolve);
  const connecting = setTimeout(
    () => request.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" })),
    connectMs,
  );
  request.once("socket", (socket) => {
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => clearTimeout(connecting));
  });
  request.on("error", reject);
  // All that comes of an answer 101, which goes over to another protocol.
  request.once("close", () => reject(new Error("closed without an answer")));
  return promise.finally(() => clearTimeout(connecting));
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (typeof code === "string" && /CERT|ALTNAME|SSL|TLS|UNABLE_TO_VERIFY/.test(code)) {
    return `its certificate or its encryption is not right (${code})`;
  }
  if (mayTryNext.has(code)) return "it does not answer";
  return "it did not answer in HTTP, or broke off";
}

/** GET of a URL from the checked addresses of its host, and from nowhere else. Follows no redirect; the body is not yet read. */
export async function pinnedGet(
  url: URL,
  to: Destination,
  accept: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let cause: unknown;
  for (const address of to.addresses.slice(0, mostTries)) {
    try {
      return await ask(url, address, accept, signal);
    } catch (error) {
      signal.throwIfAborted();
      cause = error;
      if (!mayTryNext.has(codeOf(error))) break;
    }
  }
  throw new AppError("unavailable", `Cannot fetch from ${shown(to.host)}:${to.port}: ${reasonOf(cause)}.`, {
    cause,
  });
}
