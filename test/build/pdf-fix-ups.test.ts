import { expect, test } from "bun:test";
import { join } from "node:path";
import { pdfFixUp } from "../../scripts/pdf-fix-ups.ts";

const folder = join(import.meta.dir, "../../node_modules/pdfjs-dist/legacy/build");

test.each(["pdf.mjs", "pdf.worker.mjs"])(
  "pdfFixUp leaves nothing in %s that is looked up at run time",
  async (file) => {
    const fixed = pdfFixUp(file, await Bun.file(join(folder, file)).text());
    expect(fixed).not.toContain('@napi-rs/canvas")');
    expect(fixed).not.toContain("await import(\n");
  },
);

test("pdfFixUp throws when a part of pdfjs that it replaces has moved", () => {
  expect(() => pdfFixUp("pdf.mjs", "nothing of it")).toThrow("applies 0 times");
});
