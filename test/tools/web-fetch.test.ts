import { afterAll, describe, expect, test } from "bun:test";
import type { CanPdf } from "../../src/sandbox/capabilities.ts";
import { createSandbox, type Lend } from "../../src/sandbox/sandbox.ts";
import type { CallContext } from "../../src/sandbox/tool.ts";
import { tools } from "../../src/tools/index.ts";
import { aWeb } from "../sandbox/a-web.ts";
import { runCall } from "../sandbox/workspace.ts";

interface Page {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly status?: number;
}

const pages = new Map<string, Page>();
const site = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { body = "", type, status = 200 } = pages.get(new URL(request.url).pathname) ?? { status: 404 };
    return new Response(body, { status, headers: type === undefined ? {} : { "content-type": type } });
  },
});
const base = `http://127.0.0.1:${site.port}`;
const web = aWeb();
afterAll(async () => {
  await web.close();
  await site.stop(true);
});

const aSandbox = (lend: Lend = {}) =>
  createSandbox({
    tools,
    lend: { ...web.lend, ...lend },
    timeoutMs: 15_000,
    timeoutMaxMs: 15_000,
    graceMs: 50,
  });

const run = (input: unknown, lend: Lend = {}, context: Partial<CallContext> = {}) =>
  runCall(aSandbox(lend).prepare("web_fetch", JSON.stringify(input)), context);

/** Fetches a page of this test's own. */
async function fetchPage(page: Page, input: object = {}, lend: Lend = {}) {
  const path = `/${crypto.randomUUID()}`;
  pages.set(path, page);
  const result = await run({ url: base + path, ...input }, lend);
  return { ...result, text: result.text.replaceAll(base, "BASE").replaceAll(path, "/PAGE") };
}

const sentence = "The heron stands in the shallow water, and waits for what the current brings. ";
const html = "text/html; charset=utf-8";

describe("web_fetch", () => {
  test("shows the main text of a page as Markdown, with its title, final address and other links", async () => {
    pages.set("/heron", {
      type: html,
      body: `<!doctype html><html><head><title>Herons &amp; egrets</title><style>p{}</style></head><body>
        <nav><a href="/menu">Menu</a><a href="javascript:alert(1)">Bad</a><a href="mailto:a@b.c">Mail</a></nav>
        <article><h1>Herons</h1>${`<p>${sentence.repeat(4)}</p>`.repeat(4)}
        <p>See <a href="egrets?x=1">egrets</a>.</p><img src="h.png" alt="A heron"><script>evil()</script>
        <table><tr><th>Kind</th><th>cm</th></tr><tr><td>Grey</td><td>98</td></tr></table>
        <pre><code>const a = 1;</code></pre></article><footer>All rights reserved</footer></body></html>`,
    });
    const { status, text } = await run({ url: `${base}/heron#top` });
    expect(status).toBe("ok");
    expect(text).toStartWith(`Title: Herons & egrets\nAddress: ${base}/heron\n\nThe heron stands`);
    expect(text).toContain(`[egrets](${base}/egrets?x=1)`);
    expect(text).toContain("| Grey | 98 |");
    expect(text).toContain("const a = 1;");
    expect(text).toContain("(Image: A heron)");
    expect(text).toEndWith(`Other links of the page:\n- Menu: ${base}/menu`);
    for (const left of ["evil", "javascript:", "mailto:", "h.png", "p{}"]) expect(text).not.toContain(left);
  });

  test("shows all of a page where no main text stands out", async () => {
    const body = `<ul>${Array.from({ length: 30 }, (_, n) => `<li><a href="/${n}">Item ${n}</a></li>`).join("")}</ul>`;
    const { text } = await fetchPage({ type: html, body });
    expect(text).toContain("[Item 0](BASE/0)");
    expect(text).toContain("[Item 29](BASE/29)");
  });

  test("takes relative links from the page's base", async () => {
    const { text } = await fetchPage({
      type: html,
      body: '<html><head><base href="https://example.com/b/"></head><body><p>a <a href="c">link</a></p></body></html>',
    });
    expect(text).toContain("[link](https://example.com/b/c)");
  });

  test("shows JSON and text as they are, and HTML when it is asked for raw", async () => {
    expect((await fetchPage({ type: "application/json", body: '{"a": [1, 2]}' })).text).toBe(
      'Address: BASE/PAGE\n\n{"a": [1, 2]}',
    );
    expect((await fetchPage({ type: "text/plain", body: "<b>as is</b>" })).text).toEndWith("<b>as is</b>");
    const raw = await fetchPage({ type: html, body: "<b>as is</b>" }, { raw: true });
    expect(raw.text).toEndWith("\n<b>as is</b>");
    expect((await fetchPage({ type: "text/plain" })).text).toEndWith("(The answer is empty.)");
    expect((await fetchPage({ type: html, body: "<script>x</script>" })).text).toContain("made by scripts");
  });

  test("pages a long text by characters, and never cuts one in two", async () => {
    const body = "😀".repeat(300);
    const first = await fetchPage({ type: "text/plain", body }, { max_length: 101 });
    expect(first.text).toBe(
      `Address: BASE/PAGE\n\n${"😀".repeat(50)}\n[Cut here: 500 more characters. Call again with from=101]`,
    );
    const last = await fetchPage({ type: "text/plain", body }, { max_length: 500, from: 101 });
    expect(last.text).toBe(`Address: BASE/PAGE\n\n${"😀".repeat(250)}`);
    const beyond = await fetchPage({ type: "text/plain", body }, { from: 5000 });
    expect(beyond.text).toContain("nothing from 5000 on: the text has 600 characters");
  });

  test.each([
    ["the server", "text/html; charset=shift_jis", [0x93, 0xfa, 0x96, 0x7b], "日本"],
    ["the server, in quotes", 'text/plain; charset="windows-1251"', [0xcf, 0xf0], "Пр"],
    ["its byte order mark", "text/plain; charset=latin1", [0xff, 0xfe, 0x6c, 0x00, 0xe9, 0x00], "lé"],
    ["nothing, as UTF-8", "text/plain", [0xc3, 0xa9], "é"],
    ["nothing, as what fits", "text/plain", [0xe9, 0x20, 0xe8, 0x20, 0xe0], "é è à"],
    ["a charset that there is not", "text/plain; charset=klingon", [0xc3, 0xa9], "é"],
    ["utf-16 without a mark", "text/plain; charset=utf-16le", [0x6c, 0x00, 0xe9, 0x00], "lé"],
  ])("reads letters as said by %s", async (_by, type, bytes, letters) => {
    expect((await fetchPage({ type, body: new Uint8Array(bytes) })).text).toEndWith(`\n${letters}`);
  });

  test("reads letters as the page itself says", async () => {
    const said = [
      '<meta charset="euc-kr">',
      '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">',
      '<?xml version="1.0" encoding="euc-kr"?>',
    ];
    for (const meta of said) {
      const body = new Uint8Array([...Buffer.from(`${meta}<p>`), 0xc7, 0xd1]);
      expect((await fetchPage({ type: "text/html", body })).text).toEndWith("한");
    }
  });

  test("describes what is no text", async () => {
    const png = await fetchPage({
      type: "image/png",
      body: new Uint8Array(Buffer.from("\x89PNG\r\n\x1a\n\0\0", "latin1")),
    });
    expect(png.text).toEndWith("(This is a PNG image, 10 bytes, sent as image/png. It is not shown.)");
    const flood = await fetchPage({ type: "text/html", body: new Uint8Array(11 * 1024 * 1024) });
    expect(flood.text).toEndWith(
      "(This is a binary file, more than 10 MB, sent as text/html. It is not shown.)",
    );
  });

  test("reads a PDF where that is granted, and says so where it is not", async () => {
    const body = new Uint8Array(Buffer.from("%PDF-1.7 and so on"));
    const refused = await fetchPage({ type: "application/pdf", body });
    expect(refused).toMatchObject({ status: "error", text: expect.stringContaining("not granted here") });
    const pdf: CanPdf = {
      read: async (bytes) => ({
        pageCount: 30,
        pages: [{ number: 1, text: `${bytes.length} bytes`, pictures: 0 }],
        left: "2-30",
      }),
    };
    const { text } = await fetchPage({ type: "application/octet-stream", body }, {}, { pdf: () => pdf });
    expect(text).toContain("--- page 1 of 30 ---\n18 bytes");
    expect(text).toContain('use pdf_read with this address and pages="2-30"');
  });

  test("tells an error of the server with its status and the beginning of what it said", async () => {
    const body = `<h1>No such page</h1><p>${sentence.repeat(200)}</p>`;
    const { status, text } = await fetchPage({ type: html, status: 404, body }, { max_length: 50_000 });
    expect(status).toBe("error");
    expect(text).toStartWith("Cannot fetch BASE/PAGE: the server answered 404.");
    expect(text).toContain("No such page");
    expect(text.length).toBeLessThan(2500);
    expect((await fetchPage({ status: 500, body: new Uint8Array([0, 1]) })).text).toContain("answered 500");
  });

  test("denies what the egress rules refuse", async () => {
    for (const url of ["http://169.254.169.254/", "http://[fe80::1]/", "http://127.0.0.1:22/", "http://0/"]) {
      expect(await run({ url })).toMatchObject({ status: "denied", reason: "not_granted" });
    }
    for (const url of ["file:///etc/passwd", "/etc/passwd", "http://a:b@127.0.0.1/", "x".repeat(8000)]) {
      expect(await run({ url })).toMatchObject({ status: "error" });
    }
  });

  test.each([
    {},
    { url: 5 },
    { url: "" },
    { url: "x".repeat(1_000_000) },
    { url: base, max_length: 0 },
    { url: base, max_length: 1e9 },
    { url: base, max_length: "100" },
    { url: base, from: 0 },
    { url: base, from: 1.5 },
    { url: base, raw: "yes" },
    { url: base, headers: {} },
    [],
    null,
  ])("refuses bad arguments", async (input) => {
    const result = await run(input);
    expect(result.status).toBe("error");
    expect(result.text.length).toBeLessThan(1000);
  });

  test("reads, so it never asks; and is not there without its grant", () => {
    expect(aSandbox().prepare("web_fetch", `{"url":"${base}"}`)).toMatchObject({ effect: "reads" });
    const without = createSandbox({ tools, lend: {}, timeoutMs: 1000, timeoutMaxMs: 1000 });
    expect(without.names).not.toContain("web_fetch");
    expect(without.prepare("web_fetch", `{"url":"${base}"}`)).toMatchObject({ result: { status: "denied" } });
  });

  test("bounds its result whatever a page is made of", async () => {
    const link = (n: number) => `<a href="https://example.com/${"y".repeat(250)}${n}">${"z".repeat(500)}</a>`;
    const body = `<title>${"t".repeat(5000)}</title><nav>${Array.from({ length: 300 }, (_, n) => link(n)).join("")}</nav><article>${`<p>${sentence.repeat(5)}</p>`.repeat(500)}</article>`;
    const { status, text } = await fetchPage({ type: html, body }, { max_length: 100_000 });
    expect(status).toBe("ok");
    expect(text.length).toBeLessThan(100_000);
    expect(text).not.toContain("Ask for less");
  });

  test.each([
    ["nothing but opening brackets", "<".repeat(50_000)],
    ["a tag with very many attributes", `<p ${"a=1 ".repeat(100_000)}>x`],
    ["comments without end", "<!--".repeat(200_000)],
    ["many small elements", `<article>${"<span>a</span>".repeat(20_000)}`],
    ["lists in lists", "<ul><li>".repeat(1000)],
    ["tables in tables", "<table><tr><td>x".repeat(150)],
    ["entities", "&amp;".repeat(100_000)],
    [
      "hostile names",
      "<title><script>alert(1)</script></title><a href='https://e.com/)[x](javascript:y'>t</a>",
    ],
    ["NULs in markup", "<p>a\0b</p>".slice(0, 4)],
    ["frames of templates", "<template><p>hidden</p></template>".repeat(1000)],
  ])("survives a page of %s", async (_name, body) => {
    const { status, text } = await fetchPage({ type: html, body });
    expect(["ok", "error"]).toContain(status);
    expect(text).not.toContain("](javascript:");
    expect(text.length).toBeLessThan(100_000);
  });

  test("stops when the call is cancelled, also while it reads a page that never ends; the next call works", async () => {
    const stop = new AbortController();
    pages.set("/endless", { type: html, body: "<b>".repeat(100_000) });
    const running = run({ url: `${base}/endless` }, {}, { signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    expect((await fetchPage({ type: html, body: `<p>${sentence}</p>` })).text).toContain("heron");
  });
});
