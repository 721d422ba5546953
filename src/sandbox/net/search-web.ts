import * as v from "valibot";
import { AppError, cancelled } from "../../errors.ts";
import { parseShallow } from "../../llm/nesting.ts";
import type { CanSearchWeb, WebHit } from "../can-web.ts";
import type { Lend } from "../sandbox.ts";

export interface SearchSettings {
  readonly searchProvider: "tavily" | "brave" | "searxng";
  readonly searchKey: string | undefined;
  readonly searchEndpoint: string | undefined;
}

export interface SearchLender {
  readonly lend: Pick<Lend, "search">;
  readonly warnings: readonly string[];
}

const timeoutMs = 20_000;
const largestAnswer = 4 * 1024 * 1024;
const longestTitle = 200;
const longestSnippet = 600;

interface Ask {
  readonly query: string;
  readonly limit: number;
  readonly key: string;
}

/** How one provider is asked, and where the hits are in what it says. */
interface SearchProvider {
  readonly endpoint: string | undefined;
  request(base: string, ask: Ask): { readonly url: string; readonly init: RequestInit };
  readonly answer: v.GenericSchema<unknown, readonly unknown[]>;
}

const results = v.pipe(
  v.object({ results: v.array(v.unknown()) }),
  v.transform((answer): readonly unknown[] => answer.results),
);

const providers: Readonly<Record<SearchSettings["searchProvider"], SearchProvider>> = {
  tavily: {
    endpoint: "https://api.tavily.com",
    request: (base, { query, limit, key }) => ({
      url: `${base}/search`,
      init: {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ query, max_results: limit }),
      },
    }),
    answer: results,
  },
  brave: {
    endpoint: "https://api.search.brave.com",
    request: (base, { query, limit, key }) => ({
      url: `${base}/res/v1/web/search?${new URLSearchParams({ q: query, count: String(limit) })}`,
      init: { headers: { accept: "application/json", "x-subscription-token": key } },
    }),
    // It leaves `web` out when it found nothing.
    answer: v.pipe(
      v.object({ web: v.optional(v.object({ results: v.array(v.unknown()) })) }),
      v.transform((answer): readonly unknown[] => answer.web?.results ?? []),
    ),
  },
  searxng: {
    endpoint: undefined,
    request: (base, { query }) => ({
      url: `${base}/search?${new URLSearchParams({ q: query, format: "json" })}`,
      init: { headers: { accept: "application/json" } },
    }),
    answer: results,
  },
};

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** Providers mark the words they found with tags; what is left is text, in one line. */
function plain(html: string, most: number): string {
  const text = html
    .slice(0, 10 * most)
    .replaceAll(/<\/?[a-z][^<>]{0,200}>/gi, "")
    .replaceAll(/&#(?:39|x27);/gi, "'")
    .replaceAll(/&([a-z]+);/g, (all, name: string) => entities[name] ?? all)
    .replaceAll(/\s+/g, " ")
    .trim();
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

const Hit = v.pipe(
  v.object({
    url: v.pipe(v.string(), v.maxLength(2048), v.regex(/^https?:\/\//i)),
    title: v.nullish(v.string(), ""),
    // Tavily and SearXNG say `content`, Brave says `description`.
    content: v.nullish(v.string()),
    description: v.nullish(v.string()),
  }),
  v.transform(({ url, title, content, description }): WebHit => ({
    url,
    title: plain(title, longestTitle),
    snippet: plain(content ?? description ?? "", longestSnippet),
  })),
);

function readHits(provider: SearchProvider, text: string, limit: number): readonly WebHit[] {
  const found = v.safeParse(provider.answer, parseShallow(text));
  if (!found.success)
    throw new AppError(
      "unavailable",
      "Cannot search the web: the search provider's answer is not understood.",
    );
  return found.output
    .flatMap((one) => {
      const hit = v.safeParse(Hit, one);
      return hit.success ? [hit.output] : [];
    })
    .slice(0, limit);
}

function statusFault(status: number): AppError {
  const whys: Readonly<Record<number, string>> = {
    401: "the search provider does not take the key (OPENCLAW_WEB_SEARCH_KEY)",
    403: "the search provider refuses (is OPENCLAW_WEB_SEARCH_KEY right, and JSON allowed by the SearXNG?)",
    429: "the search provider wants fewer questions; wait before the next one",
  };
  const why = whys[status] ?? `the search provider answered ${status}`;
  return new AppError("unavailable", `Cannot search the web: ${why}.`);
}

async function readText(response: Response): Promise<string> {
  const blocks: Uint8Array[] = [];
  let size = 0;
  for await (const block of response.body ?? []) {
    size += block.length;
    if (size > largestAnswer)
      throw new AppError("unavailable", "Cannot search the web: the search provider's answer is too long.");
    blocks.push(block);
  }
  return Buffer.concat(blocks).toString();
}

/** The endpoint is the operator's word, so it is asked as it is, through his proxy too; but it leads nowhere else. */
async function search(provider: SearchProvider, base: string, ask: Ask, signal: AbortSignal) {
  const { url, init } = provider.request(base, ask);
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.any([signal, limit]),
    });
    if (response.ok) return readHits(provider, await readText(response), ask.limit);
    await response.body?.cancel();
    throw statusFault(response.status);
  } catch (error) {
    if (signal.aborted) throw cancelled();
    if (error instanceof AppError) throw error;
    const why = limit.aborted ? `did not answer within ${timeoutMs / 1000} seconds` : "cannot be reached";
    throw new AppError("unavailable", `Cannot search the web: the search provider ${why}.`, { cause: error });
  }
}

/** Searching by the provider of the settings; not lent, and said so, when it lacks its key or its endpoint. */
export function lendSearch(settings: SearchSettings): SearchLender {
  const { searchProvider: name, searchKey: key } = settings;
  const provider = providers[name];
  const endpoint = settings.searchEndpoint ?? provider.endpoint;
  const missing = (setting: string): SearchLender => ({
    lend: {},
    warnings: [`web_search is off: ${name} needs ${setting}.`],
  });
  if (endpoint === undefined) return missing("OPENCLAW_WEB_SEARCH_ENDPOINT, the address of your SearXNG");
  if (key === undefined && name !== "searxng") return missing("OPENCLAW_WEB_SEARCH_KEY");
  const base = endpoint.replace(/\/+$/, "");
  const lend = (signal: AbortSignal): CanSearchWeb => ({
    search: (query, limit) => search(provider, base, { query, limit, key: key ?? "" }, signal),
  });
  return { lend: { search: (_caller, signal) => lend(signal) }, warnings: [] };
}
