import { AppError, cancelled } from "../../errors.ts";
import type { CanWeb, Fetched } from "../can-web.ts";
import type { Net } from "./net.ts";
import { lendPages } from "./pages.ts";
import { shown } from "../paths.ts";
import { destinationOf, readWebUrl } from "./web-url.ts";
import type { Lend } from "../sandbox.ts";

const mostRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface WebOptions {
  readonly net: () => Promise<Net>;
  /** For the whole of one answer, redirects and body too. */
  readonly timeoutMs?: number;
}

export interface WebLender {
  readonly lend: Pick<Lend, "web">;
  close(): void;
}

/** `text/html; charset="x"` as its two parts. */
function readContentType(value: string | undefined): Pick<Fetched, "contentType" | "charset"> {
  const [type = "", ...parameters] = (value ?? "").split(";");
  const charset = parameters
    .map((one) => /^\s*charset\s*=\s*"?([^"\s]{1,40})"?\s*$/i.exec(one)?.[1])
    .find((found) => found !== undefined);
  return { contentType: type.trim().toLowerCase(), ...(charset !== undefined && { charset }) };
}

/**
 * Follows redirects, each checked like the first. From https to http too: nothing secret goes along, and what comes back
 * is a stranger's word either way.
 */
async function follow(
  { net }: WebOptions,
  text: string,
  { maxBytes, accept }: { readonly maxBytes: number; readonly accept?: string | undefined },
  signal: AbortSignal,
): Promise<Fetched> {
  const { pinnedGet } = await import("./pinned-get.ts");
  const { readBody } = await import("./read-body.ts");
  const { find } = await net();
  let url = readWebUrl(text);
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const message = await pinnedGet(url, await find(destinationOf(url), signal), accept, signal);
    const { location } = message.headers;
    const status = message.statusCode ?? 0;
    if (!redirects.has(status) || location === undefined) {
      const body = await readBody(message, maxBytes, signal);
      return { url: url.href, status, ...readContentType(message.headers["content-type"]), ...body };
    }
    message.destroy();
    url = readWebUrl(location, url);
  }
  throw new AppError(
    "unavailable",
    `Cannot fetch ${shown(text)}: it redirects more than ${mostRedirects} times.`,
  );
}

/** Pages of the web under the egress rules; an address that a model wrote goes nowhere but through here. */
export function lendWeb(options: WebOptions): WebLender {
  const { timeoutMs = 60_000 } = options;
  const pages = lendPages();

  async function get(signal: AbortSignal, ...[url, wanted]: Parameters<CanWeb["get"]>): Promise<Fetched> {
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      return await follow(options, url, wanted, AbortSignal.any([signal, limit]));
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (!limit.aborted) throw error;
      const seconds = timeoutMs / 1000;
      throw new AppError(
        "unavailable",
        `Cannot fetch ${shown(url)}: it took longer than ${seconds} seconds.`,
      );
    }
  }

  return {
    lend: {
      web: (_caller, signal) => ({
        get: (url, wanted) => get(signal, url, wanted),
        page: (html, url) => pages.read({ html, url }, signal),
      }),
    },
    close: pages.close,
  };
}
