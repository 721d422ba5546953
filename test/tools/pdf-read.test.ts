import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CanWeb } from "../../src/sandbox/can-web.ts";
import { lendPdf, type PdfLender } from "../../src/sandbox/pdf/pdf.ts";
import { textPdf } from "../helpers/pdf.ts";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

const asked: string[] = [];
const answers = new Map<string, { status: number; bytes: Uint8Array; cut: boolean }>();
const web: CanWeb = {
  async get(url) {
    asked.push(url);
    const { status, bytes, cut } = answers.get(url) ?? { status: 404, bytes: new Uint8Array(), cut: false };
    return { url, status, contentType: "application/pdf", bytes, cut };
  },
  page: () => Promise.reject(new Error("not asked for")),
};

let pdf: PdfLender;
let at: Workspace;
beforeEach(() => {
  pdf = lendPdf();
  at = aWorkspace({ lend: { pdf: pdf.lend, web: () => web } });
});
afterEach(() => {
  at.remove();
  pdf.close();
});

const put = (name: string, bytes: Uint8Array) => writeFileSync(join(at.work, name), bytes);
const two = textPdf([["Hello", "World"], ["Two"]], { title: "Greetings" });

test("pdf_read shows the title and marks each page", async () => {
  put("a.pdf", two);
  expect(await at.call("pdf_read", { path: "a.pdf" })).toMatchObject({
    status: "ok",
    text: "Title: Greetings\n\n--- page 1 of 2 ---\nHello\nWorld\n\n--- page 2 of 2 ---\nTwo",
  });
});

test("pdf_read reads the pages asked for and says how to go on", async () => {
  put("many.pdf", textPdf(Array.from({ length: 30 }, (_, index) => [`p${index + 1}`])));
  const first = await at.call("pdf_read", { path: "many.pdf" });
  expect(first.text).toEndWith(
    '--- page 20 of 30 ---\np20\n\n[There is more: call again with pages="21-30"]',
  );
  const rest = await at.call("pdf_read", { path: "many.pdf", pages: "30" });
  expect(rest.text).toBe("--- page 30 of 30 ---\np30");
  expect((await at.call("pdf_read", { path: "many.pdf", pages: "99" })).text).toBe(
    "(There is no such page: the document has 30 pages.)",
  );
});

test("pdf_read reads an address through what is lent for that", async () => {
  answers.set("https://example.com/a.pdf", { status: 200, bytes: two, cut: false });
  expect((await at.call("pdf_read", { url: "https://example.com/a.pdf" })).text).toContain("Hello\nWorld");
  expect(await at.call("pdf_read", { url: "https://example.com/none" })).toMatchObject({
    status: "error",
    text: "Cannot read https://example.com/none: it answered 404.",
  });
  answers.set("https://example.com/big", { status: 200, bytes: two, cut: true });
  expect((await at.call("pdf_read", { url: "https://example.com/big" })).text).toContain("more than 50 MB");
});

test.each([
  [{}, "give either `path` or `url`"],
  [{ path: "a.pdf", url: "https://example.com/a.pdf" }, "give either `path` or `url`"],
  [{ path: "missing.pdf" }, "it does not exist"],
  [{ path: "../outside/a.pdf" }, "lies outside the folders"],
  [{ path: "." }, "it is a folder"],
  [{ path: "" }, "path"],
  [{ path: 7 }, "path"],
  [{ path: "a.pdf", pages: "x" }, "such as 1-3,7"],
  [{ path: "a.pdf", pages: "1,".repeat(600) }, "pages"],
  [{ path: "a.pdf", password: "p".repeat(2000) }, "password"],
  [{ path: "a.pdf", nonsense: 1 }, "nonsense"],
])("pdf_read refuses %j", async (input, text) => {
  put("a.pdf", two);
  const result = await at.call("pdf_read", input);
  expect(["error", "denied"]).toContain(result.status);
  expect(result.text).toContain(text);
});

test("pdf_read is absent without its grant, and says what it may not reach", async () => {
  const none = aWorkspace();
  expect(none.sandbox.names).not.toContain("pdf_read");
  none.remove();
  const bare = aWorkspace({ readRoots: [], lend: { pdf: pdf.lend } });
  expect(await bare.call("pdf_read", { path: "/etc/passwd" })).toMatchObject({ status: "denied" });
  expect(await bare.call("pdf_read", { url: "http://127.0.0.1/" })).toMatchObject({ status: "denied" });
  bare.remove();
});
