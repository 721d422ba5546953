import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { japaneseFont, pdfWith, textPdf } from "../helpers/pdf.ts";
import { hidesModules } from "./hides-modules.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

// Chromium is slow to start.
setDefaultTimeout(60_000);

/** What Chromium prints of a page. */
async function printed(html: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-print-"));
  try {
    const path = join(folder, "page.html");
    await Bun.write(path, html);
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${folder}/profile`];
    const child = Bun.spawn(
      ["/usr/bin/chromium", ...flags, `--print-to-pdf=${folder}/page.pdf`, `file://${path}`],
      { stdout: "ignore", stderr: "ignore", timeout: 50_000, killSignal: "SIGKILL" },
    );
    await child.exited;
    return await Bun.file(join(folder, "page.pdf")).bytes();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let at: ToolWorkspace;
beforeAll(async () => {
  at = await startToolWorkspace({ wrapper: hidesModules });
});
afterAll(() => at?.[Symbol.asyncDispose]());

const read = (path: string, more: object = {}) => at.call("pdf_read", { path, ...more });

test("pdf_read reads what Chromium printed on the executable", async () => {
  const page = `<meta charset=utf-8><title>Report</title><h1>Größe in Zürich</h1><p>First page
    <p style="page-break-before: always">Second page 日本語`;
  at.put("printed.pdf", await printed(page));
  const { status, text } = await read("printed.pdf");
  expect(status).toBe("ok");
  expect(text).toContain("--- page 1 of 2 ---");
  expect(text).toContain("Größe in Zürich");
  expect(text.split("--- page 2 of 2 ---")[1]).toContain("Second page");
});

test("pdf_read reads Japanese whose font is not in the file on the executable", async () => {
  at.put("cjk.pdf", pdfWith(["BT /F1 12 Tf 72 700 Td <93fa967b8cea> Tj ET"], { font: japaneseFont }));
  expect(await read("cjk.pdf")).toMatchObject({ status: "ok", text: expect.stringContaining("日本語") });
});

test("pdf_read opens an encrypted file with its password alone on the executable", async () => {
  at.put("closed.pdf", readFileSync(join(import.meta.dir, "../sandbox/encrypted.pdf")));
  for (const more of [{}, { password: "wrong" }]) {
    const { status, text } = await read("closed.pdf", more);
    expect(status).toBe("error");
    expect(text).toContain("password");
  }
  expect((await read("closed.pdf", { password: "user" })).text).toContain("A secret page");
});

test("pdf_read says that a file is broken, and goes on with the next one, on the executable", async () => {
  at.put("broken.pdf", "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nnothing of the kind");
  expect((await read("broken.pdf")).status).toBe("error");
  at.put("good.pdf", textPdf([["one"], ["two"], ["three"]]));
  const { text } = await read("good.pdf", { pages: "2" });
  expect(text).toContain("two");
  expect(text).not.toContain("three");
});

test("pdf_read says that a page is only a picture on the executable", async () => {
  at.put("scan.pdf", pdfWith(["q 100 0 0 100 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q"]));
  expect((await read("scan.pdf")).text).toContain("only a picture");
});

test("pdf_read reads a document by its address on the executable, as web_fetch does", async () => {
  const bytes = textPdf([["by its address"]]);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(Buffer.from(bytes), { headers: { "content-type": "application/pdf" } }),
  });
  try {
    const url = `http://127.0.0.1:${server.port}/paper.pdf`;
    expect((await at.call("pdf_read", { url })).text).toContain("by its address");
    expect((await at.call("web_fetch", { url })).text).toContain("by its address");
  } finally {
    await server.stop(true);
  }
});
