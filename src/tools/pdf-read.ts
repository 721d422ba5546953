import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanRead } from "../sandbox/can-files.ts";
import type { CanWeb } from "../sandbox/can-web.ts";
import type { PdfText } from "../sandbox/capabilities.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const largestFile = 50 * 1024 * 1024;

type Page = PdfText["pages"][number];

function pageText({ text, pictures, cut, unreadable }: Page): string {
  if (unreadable) return "(This page could not be read.)";
  if (text !== "") return cut ? `${text}\n[Cut here: this page has more text]` : text;
  if (pictures === 0) return "(This page is empty.)";
  return `(This page has no text, only ${pictures === 1 ? "a picture" : `${pictures} pictures`}: it may be scanned.)`;
}

/** A document as text, with a mark before each page. */
export function pdfDocument({ pageCount, title, pages, left }: PdfText): string {
  const marked = pages.map((page) => `--- page ${page.number} of ${pageCount} ---\n${pageText(page)}`);
  if (pages.length === 0)
    marked.push(
      `(There is no such page: the document has ${pageCount === 1 ? "one page" : `${pageCount} pages`}.)`,
    );
  const head = title === undefined ? [] : [`Title: ${title}`];
  const more = left === "" ? [] : [`[There is more: call again with pages="${left}"]`];
  return [...head, ...marked, ...more].join("\n\n");
}

async function fetchPdf(web: CanWeb | undefined, url: string): Promise<Uint8Array> {
  if (web === undefined)
    throw new AppError("forbidden", "Cannot read a PDF by its address: fetching pages is not granted here.");
  const { bytes, cut, status } = await web.get(url, { maxBytes: largestFile, accept: "application/pdf" });
  if (status >= 400) throw new AppError("unavailable", `Cannot read ${shown(url)}: it answered ${status}.`);
  if (cut) throw new AppError("payload_too_large", `Cannot read ${shown(url)}: it has more than 50 MB.`);
  return bytes;
}

function readPdf(read: CanRead | undefined, path: string): Promise<Uint8Array> {
  if (read === undefined)
    throw new AppError("forbidden", "Cannot read a PDF by its path: reading files is not granted here.");
  return read.bytes(path, largestFile);
}

export const pdfRead = defineTool({
  name: "pdf_read",
  description:
    "Read the text of a PDF, from a file (`path`) or an address (`url`), some pages at a time; 20 pages at most.",
  needs: ["pdf"],
  uses: ["read", "web"],
  effect: () => "reads",
  input: v.object({
    path: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("Path of the file. Give this or `url`.")),
    ),
    url: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("Address of the document, http or https.")),
    ),
    pages: v.optional(
      v.pipe(
        v.string(),
        v.nonEmpty(),
        v.maxLength(1000),
        v.description("Pages, such as 1-3,7 or 20-; the first ones when left out."),
      ),
    ),
    password: v.optional(
      v.pipe(v.string(), v.maxLength(1000), v.description("Password of an encrypted one.")),
    ),
  }),
  async run({ path, url, pages, password }, can) {
    if ((path === undefined) === (url === undefined))
      throw new AppError("bad_request", "Cannot read a PDF: give either `path` or `url`.");
    const bytes = url === undefined ? await readPdf(can.read, path ?? "") : await fetchPdf(can.web, url);
    return pdfDocument(await can.pdf.read(bytes, { pages, password }));
  },
});
