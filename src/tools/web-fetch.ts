import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanWeb, Fetched, WebPage } from "../sandbox/can-web.ts";
import type { CanPdf } from "../sandbox/capabilities.ts";
import { binaryKind, sizeText } from "../sandbox/files/file-kind.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";
import { decodePage } from "./decode-page.ts";
import { pdfDocument } from "./pdf-read.ts";

const mostBytes = 10 * 1024 * 1024;
/** Characters of HTML that are turned into Markdown; no person writes more. */
const longestHtml = 2_000_000;
const mostAsked = 100_000;
/** What is shown of more than that: a longer result would be cut on its way to the model. */
const mostShown = 70_000;
const usuallyShown = 20_000;
const errorShown = 2000;

/** What was found at an address: its text, and what is said before and after it. */
interface Found {
  readonly title?: string;
  readonly text: string;
  readonly links?: readonly { readonly text: string; readonly url: string }[];
  readonly notes?: readonly string[];
}

const isHtml = ({ contentType }: Fetched, text: string) =>
  /^(?:text\/html|application\/xhtml\+xml)$/.test(contentType) ||
  (contentType === "" && /^\s*<(?:!doctype html|html)[\s>]/i.test(text.slice(0, 1000)));

async function pageOf(web: CanWeb, html: string, url: string): Promise<WebPage> {
  try {
    return await web.page(html, url);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${error.message} Call again with raw=true to see its HTML.`, {
      cause: error,
    });
  }
}

async function readHtml(web: CanWeb, html: string, url: string): Promise<Found> {
  const isLong = html.length > longestHtml;
  const { title, markdown, links } = await pageOf(web, isLong ? html.slice(0, longestHtml) : html, url);
  return {
    title,
    text:
      markdown === ""
        ? "(The page has no text; it may be made by scripts, which a browser would run.)"
        : markdown,
    links,
    ...(isLong && { notes: ["Only the beginning of this page was read: it is very long."] }),
  };
}

async function readPdf(pdf: CanPdf | undefined, { bytes, cut, url }: Fetched): Promise<Found> {
  if (pdf === undefined)
    throw new AppError(
      "unsupported_media_type",
      `${shown(url)} is a PDF document, and reading PDFs is not granted here.`,
    );
  if (cut)
    throw new AppError(
      "payload_too_large",
      `${shown(url)} is a PDF document of more than ${sizeText(mostBytes)}: use pdf_read with its address.`,
    );
  const read = await pdf.read(bytes, {});
  const { left } = read;
  return {
    text: pdfDocument({ ...read, left: "" }),
    ...(left !== "" && {
      notes: [`The pages ${left} are not shown: use pdf_read with this address and pages="${left}"`],
    }),
  };
}

async function readAnswer(
  can: { web: CanWeb; pdf?: CanPdf },
  fetched: Fetched,
  raw: boolean,
): Promise<Found> {
  const { bytes, contentType, charset, cut, url } = fetched;
  const kind = binaryKind(bytes);
  if (contentType === "application/pdf" || kind === "a PDF document") return readPdf(can.pdf, fetched);
  if (kind !== undefined && !/^utf-?16/i.test(charset ?? "") && kind !== "UTF-16 text") {
    const size = cut ? `more than ${sizeText(mostBytes)}` : sizeText(bytes.length);
    return {
      text: `(This is ${kind}, ${size}, sent as ${contentType || "something unnamed"}. It is not shown.)`,
    };
  }
  const text = decodePage(bytes, charset);
  const notes = cut ? [`Only the first ${sizeText(mostBytes)} were read.`] : [];
  if (raw || !isHtml(fetched, text)) return { text: text === "" ? "(The answer is empty.)" : text, notes };
  const page = await readHtml(can.web, text, url);
  return { ...page, notes: [...notes, ...(page.notes ?? [])] };
}

/** Never in the middle of a character that takes two places. */
const endBefore = (text: string, end: number) =>
  /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end < text.length ? end - 1 : end;

function write(found: Found, url: string, from: number, length: number): string {
  const { title, text, links = [], notes = [] } = found;
  const start = Math.min(from - 1, text.length);
  const end = endBefore(text, Math.min(start + length, text.length));
  const left = text.length - end;
  const lines = [...(title ? [`Title: ${title}`] : []), `Address: ${url}`, "", text.slice(start, end)];
  if (start > 0 && start === text.length)
    lines.push(`(There is nothing from ${from} on: the text has ${text.length} characters.)`);
  if (left > 0) lines.push(`[Cut here: ${left} more characters. Call again with from=${end + 1}]`);
  for (const note of notes) lines.push(`[${note}]`);
  // The links are the same on each page of the text.
  if (links.length > 0 && start === 0)
    lines.push("", "Other links of the page:", ...links.map((link) => `- ${link.text}: ${link.url}`));
  return lines.join("\n");
}

export const webFetch = defineTool({
  name: "web_fetch",
  description:
    "Fetch a page of the web: its main text as Markdown, with title and links; JSON, plain text and PDFs as text.",
  needs: ["web"],
  uses: ["pdf"],
  effect: () => "reads",
  input: v.object({
    url: v.pipe(v.string(), v.nonEmpty(), v.maxLength(8192), v.description("Address, http or https.")),
    max_length: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(100),
        v.maxValue(mostAsked),
        v.description(`Most characters of text to show; ${usuallyShown} when left out.`),
      ),
      usuallyShown,
    ),
    from: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.description("First character to show, to go on in a long text."),
      ),
      1,
    ),
    raw: v.optional(v.pipe(v.boolean(), v.description("Show HTML as it is, not as Markdown.")), false),
  }),
  async run({ url, max_length, from, raw }, can) {
    const fetched = await can.web.get(url, { maxBytes: mostBytes });
    if (fetched.status >= 200 && fetched.status < 300) {
      const found = await readAnswer(can, fetched, raw);
      return write(found, fetched.url, from, Math.min(max_length, mostShown));
    }
    // Whatever is wrong with the page that tells of an error, the status is what matters.
    const { text } = await readAnswer(can, fetched, raw).catch(() => ({ text: "" }));
    const said = write({ text }, fetched.url, 1, Math.min(max_length, errorShown));
    throw new AppError(
      "unavailable",
      `Cannot fetch ${shown(url)}: the server answered ${fetched.status}.\n${said}`,
    );
  },
});
