import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lendPdf, type PdfLender } from "../../../src/sandbox/pdf/pdf.ts";
import { japaneseFont, pdfOf, pdfWith, textPdf } from "../../helpers/pdf.ts";

// What is read here is made to take long.
setDefaultTimeout(120_000);

const mebibyte = 1024 * 1024;
let pdf: PdfLender;
beforeEach(() => {
  pdf = lendPdf({ timeoutMs: 100_000, growthBytes: 300 * mebibyte, idleMs: 10_000 });
});
afterEach(() => pdf.close());

const read = (bytes: Uint8Array, options: { pages?: string; password?: string } = {}, signal?: AbortSignal) =>
  pdf.lend(undefined, signal ?? new AbortController().signal).read(bytes, options);

test("lendPdf reads text by pages, with the title and the line breaks", async () => {
  const bytes = textPdf([["Hello", "World"], ["Page two"]], { title: "A title" });
  expect(await read(bytes)).toEqual({
    title: "A title",
    pageCount: 2,
    pages: [
      { number: 1, text: "Hello\nWorld", pictures: 0 },
      { number: 2, text: "Page two", pictures: 0 },
    ],
    left: "",
  });
});

test("lendPdf reads Japanese whose font and character map are not in the file", async () => {
  const bytes = pdfWith(["BT /F1 12 Tf 72 700 Td <93fa967b8cea> Tj ET"], { font: japaneseFont });
  expect((await read(bytes)).pages[0]?.text).toBe("日本語");
});

test("lendPdf reads twenty pages at most and says which are left", async () => {
  const bytes = textPdf(Array.from({ length: 50 }, (_, index) => [`page ${index + 1}`]));
  const first = await read(bytes);
  expect([first.pages.length, first.left]).toEqual([20, "21-50"]);
  const last = await read(bytes, { pages: "2,45-" });
  expect(last.pages.map(({ text }) => text)).toEqual([
    "page 2",
    ...[45, 46, 47, 48, 49, 50].map((n) => `page ${n}`),
  ]);
  expect(last.left).toBe("");
  expect(await read(bytes, { pages: "51-60" })).toMatchObject({ pageCount: 50, pages: [], left: "" });
});

/** Lines in a letter of one point, so that many fit on a page: pdfjs leaves out what lies beside it. */
const small = (lines: number) => {
  const line = `(${"word ".repeat(12).trim()}) Tj T*`;
  return `BT /F1 1 Tf 10 780 Td 1 TL ${`${line} `.repeat(lines)} ET`;
};

test("lendPdf stops at fifty thousand characters and cuts only a page that is longer itself", async () => {
  const { pages, left } = await read(pdfWith([small(500), small(500), small(500)]));
  expect(pages.map(({ number }) => number)).toEqual([1]);
  expect(left).toBe("2-3");
  const huge = await read(pdfWith([`${small(770)} ${small(770)}`, small(1)]));
  expect(huge.pages).toHaveLength(1);
  expect(huge.pages[0]).toMatchObject({ cut: true });
  expect(huge.pages[0]?.text.length).toBeLessThanOrEqual(50_000);
  expect(huge.left).toBe("2");
});

test("lendPdf tells a page that is only a picture from one that is empty", async () => {
  const picture = "q 100 0 0 100 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q";
  const { pages } = await read(pdfWith([picture, ""]));
  expect(pages.map(({ text, pictures }) => [text, pictures])).toEqual([
    ["", 1],
    ["", 0],
  ]);
});

test("lendPdf tells a missing password from a wrong one", async () => {
  const bytes = readFileSync(join(import.meta.dir, "../encrypted.pdf"));
  await expect(read(bytes)).rejects.toMatchObject({
    message: expect.stringContaining("a password is needed"),
  });
  await expect(read(bytes, { password: "x" })).rejects.toMatchObject({
    message: "Cannot read this PDF: the password is wrong.",
  });
  expect((await read(bytes, { password: "user" })).pages[0]?.text).toBe("A secret page");
  expect((await read(bytes, { password: "owner" })).pages[0]?.text).toBe("A secret page");
});

describe("lendPdf says in one sentence that it cannot read", () => {
  const catalog = "<< /Type /Catalog /Pages 2 0 R >>";
  const random = Buffer.alloc(60_000);
  for (let at = 0; at < random.length; at += 1) random[at] = (at * 2_654_435_761) >>> 24;
  test.each([
    ["nothing", new Uint8Array()],
    ["a text", Buffer.from("Hello")],
    ["random bytes", random],
    ["random bytes with a head", Buffer.concat([Buffer.from("%PDF-1.7\n"), random])],
    ["a file that is cut off", textPdf([["x"]]).subarray(0, 300)],
    ["no pages", pdfOf([catalog, "<< /Type /Pages /Count 0 /Kids [] >>"])],
    ["a count that lies", pdfOf([catalog, "<< /Type /Pages /Count 1000000000 /Kids [] >>"])],
    ["objects that are nested without end", pdfOf([catalog, "[".repeat(200_000)])],
  ])("%s", async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: "unsupported_media_type",
      message: expect.stringMatching(/^Cannot read this PDF: [^.]+\.$/),
    });
  });
});

test("lendPdf survives pages that hold themselves", async () => {
  const pages = pdfOf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R 2 0 R] >>",
  ]);
  expect((await read(pages)).pages).toEqual([{ number: 1, text: "", pictures: 0, unreadable: true }]);
});

/** Forms that hold ten of the next, `depth` deep: 10 to the power of `depth` texts. */
function manyForms(depth: number): Uint8Array {
  const draw = (text: string) => Buffer.from(text);
  const forms = Array.from({ length: depth }, (_, index) => ({
    dictionary: `/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /A ${index + 7} 0 R >> /Font << /F1 5 0 R >> >>`,
    stream: draw(index === depth - 1 ? "BT /F1 1 Tf (lol) Tj ET" : "/A Do ".repeat(10)),
  }));
  return pdfOf([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /A 6 0 R >> >> >>",
    { dictionary: "", stream: draw("/A Do") },
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...forms,
  ]);
}

test("lendPdf stops reading a page that multiplies itself", async () => {
  const { pages } = await read(manyForms(12));
  expect(pages[0]).toMatchObject({ cut: true });
});

test("lendPdf gives up what takes too much memory, and reads the next one", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../pdf-bomb.ts")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual([
    "The PDF was given up: it takes too much memory.",
    "next",
  ]);
  expect(await child.exited).toBe(0);
});

test("lendPdf gives up after its time, when it is cancelled, and reads the next one", async () => {
  const slow = textPdf(
    Array.from({ length: 400 }, () => Array.from({ length: 50 }, () => "word ".repeat(12))),
  );
  pdf.close();
  pdf = lendPdf({ timeoutMs: 1, growthBytes: 300 * mebibyte, idleMs: 10_000 });
  await expect(read(slow)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("longer"),
  });
  pdf.close();
  pdf = lendPdf();
  const stop = new AbortController();
  const reading = read(slow, {}, stop.signal);
  stop.abort(new Error("cancelled"));
  await expect(reading).rejects.toThrow("cancelled");
  const [a, b] = await Promise.all([read(textPdf([["a"]])), read(textPdf([["b"]]))]);
  expect([a.pages[0]?.text, b.pages[0]?.text]).toEqual(["a", "b"]);
});
