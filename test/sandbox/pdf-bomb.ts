import { lendPdf } from "../../src/sandbox/pdf/pdf.ts";
import { deflated, pdfOf, textPdf } from "../helpers/pdf.ts";

// A program of its own: a process that has room left from before, or gives some back meanwhile, does not grow. Says how a
// bomb ended, which takes 400 MiB at least, and what the next document holds.
const { filters, stream } = deflated(Buffer.alloc(200_000_000, 32), 2);
const bomb = pdfOf([
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
  { dictionary: filters, stream },
]);
// What made the bomb goes before anybody measures.
Bun.gc(true);
const pdf = lendPdf({ timeoutMs: 100_000, growthBytes: 150 * 1024 * 1024, idleMs: 10_000 });
const can = pdf.lend(undefined, new AbortController().signal);
const end = await can.read(bomb, {}).then(
  () => "It was read.",
  (error: Error) => error.message,
);
const next = await can.read(textPdf([["next"]]), {});
console.log(JSON.stringify([end, next.pages[0]?.text]));
pdf.close();
