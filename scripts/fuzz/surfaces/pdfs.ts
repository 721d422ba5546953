import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pdfWith, textPdf } from "../../../test/helpers/pdf.ts";
import { pleaseCall } from "../../../test/helpers/tool-run.ts";
import { mutateBytes } from "../mutate.ts";
import { askWrongly, type Surface } from "../surface.ts";
import { token } from "../target.ts";

const begun: readonly [() => Uint8Array, ...(() => Uint8Array)[]] = [
  () => textPdf([["Hello"], ["Page two"]]),
  () => pdfWith(["BT /F1 12 Tf 72 720 Td (Hi) Tj ET"], { title: "A title" }),
];

let written = 0;

/** PDFs with something broken, read by the tool. */
export const pdfs: Surface = {
  name: "pdfs",
  make: (random) => mutateBytes(random.pick(begun)(), random),
  async give(input, target) {
    const name = `fuzz-${++written}.pdf`;
    const path = join(target.workspace, name);
    writeFileSync(path, input);
    const content = pleaseCall([{ name: "pdf_read", arguments: { path: name } }]);
    const fault = await askWrongly(target, "/v1/chat/completions", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content }] }),
    });
    rmSync(path, { force: true });
    return fault;
  },
};
