import { AppError } from "../../errors.ts";
import type { CanPdf, PdfText } from "../capabilities.ts";
import { parsePageRanges } from "./page-ranges.ts";
import type { PdfAnswer, PdfFault, PdfRequest } from "./pdf-messages.ts";
import { createWorkerSeat, type WorkerLimits } from "../worker-seat.ts";

const mostPages = 20;
const mostCharacters = 50_000;
const standardLimits: WorkerLimits = { timeoutMs: 60_000, growthBytes: 512 * 1024 * 1024, idleMs: 30_000 };

const sentences: Readonly<Record<PdfFault, string>> = {
  password_missing: "it is encrypted, so a password is needed: call again with `password`",
  password_wrong: "the password is wrong",
  broken: "it is no PDF, or it is broken or cut off",
  empty: "it has no pages",
  failed: "its content could not be understood",
};

const fault = (why: PdfFault): AppError =>
  new AppError(
    why === "password_missing" || why === "password_wrong" ? "bad_request" : "unsupported_media_type",
    `Cannot read this PDF: ${sentences[why]}.`,
  );

function readAnswer(answer: PdfAnswer): PdfText {
  if (!answer.ok) throw fault(answer.fault);
  return answer.text;
}

export interface PdfLender {
  readonly lend: (caller: unknown, signal: AbortSignal) => CanPdf;
  close(): void;
}

/** Text of PDFs, read one after another by pdfjs in a Worker that stays for a while. */
export function lendPdf(limits: WorkerLimits = standardLimits): PdfLender {
  const seat = createWorkerSeat<PdfRequest, PdfAnswer>("pdf/pdf-worker", limits);
  return {
    lend: (_caller, signal) => ({
      async read(bytes, { pages, password }) {
        const ranges = parsePageRanges(pages ?? "1-");
        // pdfjs looks for it in the first 1024 bytes too; what has none is not worth its attempts to mend a file.
        if (!Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).includes("%PDF-"))
          throw fault("broken");
        const ask = { bytes, ranges, password, mostPages, mostCharacters };
        return readAnswer(await seat.ask(ask, signal, "The PDF"));
      },
    }),
    close: seat.close,
  };
}
