import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist";
import type { PdfText } from "../capabilities.ts";
import { pagesOf, rangesAfter } from "./page-ranges.ts";
import { EmbeddedMaps } from "./pdf-maps.ts";
import type { PdfAnswer, PdfFault, PdfRequest } from "./pdf-messages.ts";
import { joinPieces, type TextPiece } from "./pdf-text.ts";

// The second entry point of the executable, where pdfjs runs: a Worker, so that it can be ended in the middle.
declare const self: Worker;

type Page = PdfText["pages"][number];

/** pdfjs names these at import; only drawing uses them, which we do not. */
async function load() {
  class Absent {}
  Object.assign(globalThis, { DOMMatrix: Absent, ImageData: Absent, Path2D: Absent });
  // It would look for a file of this name otherwise.
  const handler: unknown = await import("pdfjs-dist/legacy/build/pdf.worker.mjs");
  Object.assign(globalThis, { pdfjsWorker: handler });
  return import("pdfjs-dist/legacy/build/pdf.mjs");
}

let loading: ReturnType<typeof load> | undefined;

async function countPictures(page: PDFPageProxy): Promise<number> {
  const { OPS } = await (loading ??= load());
  const paints: ReadonlySet<number> = new Set([
    OPS.paintImageXObject,
    OPS.paintImageXObjectRepeat,
    OPS.paintImageMaskXObject,
    OPS.paintImageMaskXObjectGroup,
    OPS.paintImageMaskXObjectRepeat,
    OPS.paintInlineImageXObject,
    OPS.paintInlineImageXObjectGroup,
    OPS.paintSolidColorImageMask,
  ]);
  const { fnArray } = await page.getOperatorList();
  return fnArray.filter((operator) => paints.has(operator)).length;
}

/** The text of a page; reading stops a little behind `most` characters. */
async function readText(page: PDFPageProxy, most: number): Promise<string> {
  const pieces: TextPiece[] = [];
  let length = 0;
  const reader = page.streamTextContent().getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    for (const item of value.items) {
      if (!("str" in item)) continue;
      pieces.push(item);
      length += item.str.length + 1;
    }
    if (length > 2 * most) {
      await reader.cancel(new Error("enough"));
      break;
    }
  }
  return joinPieces(pieces);
}

async function readPage(document: PDFDocumentProxy, number: number, room: number): Promise<Page> {
  try {
    const page = await document.getPage(number);
    const whole = await readText(page, room);
    const text = whole.slice(0, room).toWellFormed();
    const pictures = text === "" ? await countPictures(page) : 0;
    page.cleanup();
    return { number, text, pictures, ...(text.length < whole.length && { cut: true }) };
  } catch {
    return { number, text: "", pictures: 0, unreadable: true };
  }
}

async function titleOf(document: PDFDocumentProxy): Promise<string | undefined> {
  const { info } = await document.getMetadata().catch(() => ({ info: {} }));
  const title = "Title" in info ? info.Title : undefined;
  return typeof title === "string" && title.trim() !== "" ? title.trim().slice(0, 300) : undefined;
}

async function readDocument(document: PDFDocumentProxy, request: PdfRequest): Promise<PdfText> {
  const { ranges, mostPages, mostCharacters } = request;
  const pageCount = document.numPages;
  const pages: Page[] = [];
  let room = mostCharacters;
  for (const number of pagesOf(ranges, pageCount)) {
    if (pages.length === mostPages || room <= 0) break;
    const page = await readPage(document, number, room);
    // A page that does not fit is begun on only when it is the first: the next call has room for it.
    if (page.cut && pages.length > 0) break;
    pages.push(page);
    room -= page.text.length;
  }
  const title = await titleOf(document);
  return {
    pageCount,
    pages,
    left: rangesAfter(ranges, pageCount, pages.length),
    ...(title !== undefined && { title }),
  };
}

const faults: Readonly<Record<string, PdfFault>> = {
  PasswordException1: "password_missing",
  PasswordException2: "password_wrong",
  InvalidPDFException: "broken",
};

function faultOf(error: unknown): PdfAnswer {
  if (!(error instanceof Error)) return { ok: false, fault: "failed", said: String(error).slice(0, 200) };
  const code = "code" in error ? String(error.code) : "";
  const fault = faults[error.name + code] ?? faults[error.name] ?? "failed";
  return { ok: false, fault, said: error.message.slice(0, 200) };
}

async function answer(request: PdfRequest): Promise<PdfAnswer> {
  const { getDocument, VerbosityLevel } = await (loading ??= load());
  const task = getDocument({
    data: request.bytes,
    ...(request.password !== undefined && { password: request.password }),
    BinaryDataFactory: EmbeddedMaps,
    cMapUrl: "embedded/",
    cMapPacked: true,
    useWorkerFetch: false,
    disableFontFace: true,
    useSystemFonts: false,
    isImageDecoderSupported: false,
    isOffscreenCanvasSupported: false,
    enableXfa: false,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    const document = await task.promise;
    if (document.numPages < 1) return { ok: false, fault: "empty", said: "no page" };
    return { ok: true, text: await readDocument(document, request) };
  } catch (error) {
    return faultOf(error);
  } finally {
    await task.destroy().catch(() => undefined);
  }
}

self.onmessage = ({ data }: MessageEvent<PdfRequest>) => {
  answer(data).then(
    (text) => self.postMessage(text),
    (error: unknown) => self.postMessage(faultOf(error)),
  );
};
