import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { aCanary, aSite } from "../sandbox/a-browser.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

// The executable is started many times.
setDefaultTimeout(60_000);

const article = `<title>On claws</title><nav><a href="/menu">Menu</a></nav><article><h1>On claws</h1>
${"<p>A claw is <b>curved</b>, and it is pointed at its end, as everybody knows who has a cat. ".repeat(8)}
<p>More stands <a href="/more">over there</a>.</article>`;

let at: ToolWorkspace;
let site: ReturnType<typeof aSite>;
beforeAll(async () => {
  at = await startToolWorkspace();
  site = aSite({
    "/": article,
    "/data.json": () => Response.json({ claws: 18 }),
    "/latin": () =>
      new Response(Buffer.from("Gr\xf6\xdfe", "latin1"), {
        headers: { "content-type": "text/plain; charset=iso-8859-1" },
      }),
    "/moved": () => Response.redirect("/", 302),
    "/to-us": () => Response.redirect(`${at.server.url}/health`, 302),
    "/to-metadata": () => Response.redirect("http://169.254.169.254/latest/meta-data/", 302),
    "/to-file": () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
  });
});
afterAll(async () => {
  await at?.[Symbol.asyncDispose]();
  site?.[Symbol.dispose]();
});

const fetched = (path: string, more: object = {}) =>
  at.call("web_fetch", { url: `${site.url}${path}`, ...more });

test("web_fetch reads a page as Markdown on the executable, with its title, its final address and its links", async () => {
  const { status, text } = await fetched("/moved");
  expect(status).toBe("ok");
  expect(text).toContain("Title: On claws");
  expect(text).toContain(`Address: ${site.url}/`);
  expect(text).toContain("**curved**");
  expect(text).toContain(`${site.url}/more`);
  expect((await fetched("/", { raw: true })).text).toContain("<article>");
});

test("web_fetch shows JSON and text as they are on the executable, in their charset", async () => {
  expect((await fetched("/data.json")).text).toContain('{"claws":18}');
  expect((await fetched("/latin")).text).toContain("Größe");
});

test("web_fetch follows no redirect to us, to metadata or to a file on the executable", async () => {
  for (const path of ["/to-us", "/to-metadata", "/to-file"]) {
    const { status, text } = await fetched(path);
    expect(status).not.toBe("ok");
    expect(text).not.toContain("root:");
  }
  expect((await at.call("web_fetch", { url: "file:///etc/passwd" })).status).not.toBe("ok");
});

test("web_fetch reaches no private address where that is not granted, however it is spelled, on the executable", async () => {
  using canary = await aCanary();
  await using strict = await startToolWorkspace({ env: { OPENCLAW_ALLOW_PRIVATE_NETWORK: undefined } });
  const hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"];
  const calls = hosts.map((host) => ({
    name: "web_fetch",
    arguments: { url: `http://${host}:${canary.port}/` },
  }));
  for (const { status } of await strict.run(calls)) expect(status).not.toBe("ok");
  expect(canary.heard).toEqual([]);
});

test("web_search asks SearXNG, Tavily and Brave on the executable", async () => {
  const asked: string[] = [];
  const hits = [
    { url: "https://example.com/claw", title: "A claw", content: "curved", description: "curved" },
  ];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { authorization, ...rest } = Object.fromEntries(request.headers);
      const key = authorization ?? rest["x-subscription-token"] ?? "none";
      asked.push(`${request.method} ${new URL(request.url).pathname} ${key}`);
      return Response.json({ results: hits, web: { results: hits } });
    },
  });
  try {
    const OPENCLAW_WEB_SEARCH_ENDPOINT = `http://127.0.0.1:${server.port}`;
    for (const OPENCLAW_WEB_SEARCH_PROVIDER of ["searxng", "tavily", "brave"]) {
      await using one = await startToolWorkspace({
        env: {
          OPENCLAW_WEB_SEARCH_ENDPOINT,
          OPENCLAW_WEB_SEARCH_PROVIDER,
          OPENCLAW_WEB_SEARCH_KEY: OPENCLAW_WEB_SEARCH_PROVIDER === "searxng" ? undefined : "sk-of-search",
        },
      });
      expect(await one.call("web_search", { query: "claws" })).toMatchObject({
        status: "ok",
        text: "1. A claw\n   https://example.com/claw\n   curved",
      });
    }
  } finally {
    await server.stop(true);
  }
  expect(asked).toEqual([
    "GET /search none",
    "POST /search Bearer sk-of-search",
    "GET /res/v1/web/search sk-of-search",
  ]);
});
