import { afterAll, describe, expect, test } from "bun:test";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { lendSearch, type SearchSettings } from "../../src/sandbox/net/search-web.ts";
import type { CallContext } from "../../src/sandbox/tool.ts";
import { tools } from "../../src/tools/index.ts";
import { runCall } from "../sandbox/workspace.ts";

type Answer = (request: Request) => Response | Promise<Response>;

const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

/** A search provider on loopback, and `web_search` that asks it. */
function aSearch(searchProvider: SearchSettings["searchProvider"], answer: Answer) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  cleanUps.push(() => server.stop(true));
  const settings = {
    searchProvider,
    searchKey: "sk-secret",
    searchEndpoint: `http://127.0.0.1:${server.port}/base/`,
  };
  const { lend } = lendSearch(settings);
  const sandbox = createSandbox({ tools, lend, timeoutMs: 5000, timeoutMaxMs: 5000, graceMs: 50 });
  return (input: unknown, context: Partial<CallContext> = {}) =>
    runCall(sandbox.prepare("web_search", JSON.stringify(input)), context);
}

const hit = (n: number, snippet: object) => ({
  url: `https://example.com/${n}`,
  title: `Title ${n}`,
  ...snippet,
});
const shownHit = "1. Title 1\n   https://example.com/1\n   about one";

describe("web_search", () => {
  test("asks Tavily", async () => {
    const search = aSearch("tavily", async (request) => {
      expect(request.method).toBe("POST");
      expect(new URL(request.url).pathname).toBe("/base/search");
      expect(request.headers.get("authorization")).toBe("Bearer sk-secret");
      expect(await request.json()).toEqual({ query: "a & b", max_results: 3 });
      return Response.json({ results: [hit(1, { content: "about one", score: 0.9 })] });
    });
    expect(await search({ query: " a & b ", max_results: 3 })).toMatchObject({
      status: "ok",
      text: shownHit,
    });
  });

  test("asks Brave", async () => {
    const search = aSearch("brave", (request) => {
      const url = new URL(request.url);
      expect(url.pathname).toBe("/base/res/v1/web/search");
      expect(Object.fromEntries(url.searchParams)).toEqual({ q: "a & b", count: "8" });
      expect(request.headers.get("x-subscription-token")).toBe("sk-secret");
      return Response.json({ web: { results: [hit(1, { description: "about <strong>one</strong>" })] } });
    });
    expect((await search({ query: "a & b" })).text).toBe(shownHit);
    const nothing = aSearch("brave", () => Response.json({ query: {} }));
    expect((await nothing({ query: "x" })).text).toBe("Nothing was found for: x");
  });

  test("asks SearXNG, and shows no more than it was asked for", async () => {
    const search = aSearch("searxng", (request) => {
      const url = new URL(request.url);
      expect(url.pathname).toBe("/base/search");
      expect(Object.fromEntries(url.searchParams)).toEqual({ q: "a & b", format: "json" });
      return Response.json({
        results: Array.from({ length: 50 }, (_, n) => hit(n + 1, { content: "about one" })),
      });
    });
    expect((await search({ query: "a & b", max_results: 1 })).text).toBe(shownHit);
  });

  test("makes what is found plain, and leaves out what is no hit", async () => {
    const results = [
      hit(1, { title: "<b>A</b> &amp;\n\n &#x27;B&#x27; &lt;c&gt;", content: "x".repeat(5000) }),
      hit(2, { url: "javascript:alert(1)" }),
      hit(3, { url: "file:///etc/passwd" }),
      hit(4, { title: null, content: null }),
      { title: "no address" },
      "text",
      null,
    ];
    const { text } = await aSearch("tavily", () => Response.json({ results }))({ query: "x" });
    expect(text).toBe(
      `1. A & 'B' <c>\n   https://example.com/1\n   ${"x".repeat(600)}…\n\n2. (no title)\n   https://example.com/4`,
    );
  });

  test.each([
    [401, "OPENCLAW_WEB_SEARCH_KEY"],
    [403, "OPENCLAW_WEB_SEARCH_KEY"],
    [429, "fewer questions"],
    [500, "answered 500"],
    [302, "answered 302"],
  ])("says what status %i means, and follows it nowhere", async (status, why) => {
    let hits = 0;
    const search = aSearch("tavily", () => {
      hits += 1;
      return new Response("sk-secret", { status, headers: { location: "/elsewhere" } });
    });
    const result = await search({ query: "x" });
    expect(result.status).toBe("error");
    expect(result.text).toContain(why);
    expect(result.text).not.toContain("sk-secret");
    expect(hits).toBe(1);
  });

  test.each([
    ["no JSON", "<html>"],
    ["other JSON", "[1,2]"],
    ["nothing", ""],
    ["results that are none", '{"results": "many"}'],
    ["a flood", `{"results": "${"x".repeat(5_000_000)}"}`],
  ])("bounds an answer of %s", async (_name, body) => {
    const result = await aSearch("searxng", () => new Response(body))({ query: "x" });
    expect(result).toMatchObject({
      status: "error",
      text: expect.stringContaining("search provider's answer"),
    });
  });

  test("says that the provider cannot be reached", async () => {
    const { lend } = lendSearch({
      searchProvider: "searxng",
      searchKey: undefined,
      searchEndpoint: "http://127.0.0.1:1",
    });
    const sandbox = createSandbox({ tools, lend, timeoutMs: 5000, timeoutMaxMs: 5000 });
    expect((await runCall(sandbox.prepare("web_search", '{"query":"x"}'))).text).toContain(
      "cannot be reached",
    );
  });

  test("stops when the call is cancelled", async () => {
    const stop = new AbortController();
    const search = aSearch("tavily", () => {
      stop.abort();
      return new Promise<Response>(() => {});
    });
    await expect(search({ query: "x" }, { signal: stop.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  test.each([
    {},
    { query: "" },
    { query: "  " },
    { query: 5 },
    { query: "x".repeat(1_000_000) },
    { query: "x", max_results: 0 },
    { query: "x", max_results: 1000 },
    { query: "x", site: "y" },
    "query",
  ])("refuses bad arguments", async (input) => {
    const search = aSearch("tavily", () => Response.json({ results: [] }));
    expect(await search(input)).toMatchObject({ status: "error" });
  });
});

test("lendSearch lends nothing without a key or an endpoint, and says which setting is missing", () => {
  const bare = { searchKey: undefined, searchEndpoint: undefined };
  for (const [searchProvider, setting] of [
    ["tavily", "OPENCLAW_WEB_SEARCH_KEY"],
    ["brave", "OPENCLAW_WEB_SEARCH_KEY"],
    ["searxng", "OPENCLAW_WEB_SEARCH_ENDPOINT"],
  ] as const) {
    const { lend, warnings } = lendSearch({ searchProvider, ...bare });
    expect(lend.search).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(setting)]);
  }
  expect(lendSearch({ ...bare, searchProvider: "brave", searchKey: "k" }).warnings).toEqual([]);
});
