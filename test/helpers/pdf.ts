import { deflateSync } from "node:zlib";

/** The body of a PDF object; number one is the first. */
export type PdfObject = string | { readonly dictionary: string; readonly stream: Uint8Array };

/** A PDF of these objects, with the table of their places; the first one must be the catalog. */
export function pdfOf(objects: readonly PdfObject[], trailer = ""): Uint8Array {
  const parts: Buffer[] = [Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "latin1")];
  let length = parts[0]?.length ?? 0;
  const add = (part: Buffer) => {
    parts.push(part);
    length += part.length;
  };
  const places = objects.map((object, index) => {
    const place = length;
    add(Buffer.from(`${index + 1} 0 obj\n`));
    if (typeof object === "string") add(Buffer.from(object, "latin1"));
    else {
      add(Buffer.from(`<< ${object.dictionary} /Length ${object.stream.length} >>\nstream\n`));
      add(Buffer.from(object.stream));
      add(Buffer.from("\nendstream"));
    }
    add(Buffer.from("\nendobj\n"));
    return place;
  });
  const start = length;
  const lines = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  add(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${lines}`));
  add(
    Buffer.from(
      `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** A stream that is compressed, so often over. */
export function deflated(
  bytes: Uint8Array,
  times = 1,
): { readonly filters: string; readonly stream: Uint8Array } {
  let stream = bytes;
  for (let count = 0; count < times; count += 1) stream = deflateSync(stream);
  return { filters: `/Filter [${"/FlateDecode ".repeat(times)}]`, stream };
}

const helvetica = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/** What draws lines of text from the top of a page down; parentheses and backslashes are not for it. */
export const drawLines = (lines: readonly string[]) =>
  `BT /F1 12 Tf 72 720 Td 14 TL ${lines.map((line) => `(${line}) Tj T*`).join(" ")} ET`;

export interface PdfOptions {
  readonly title?: string;
  /** The object of the font `F1`, and more objects that it names; they begin at number 4. */
  readonly font?: readonly string[];
  /** What a page may draw beside `F1`. */
  readonly resources?: string;
}

/** A PDF whose pages draw these contents (operators of PDF, as they are). */
export function pdfWith(contents: readonly (string | Uint8Array)[], options: PdfOptions = {}): Uint8Array {
  const { font = [helvetica], title, resources = "" } = options;
  const first = 4 + font.length;
  const kids = contents.map((_, index) => `${first + 2 * index} 0 R`).join(" ");
  const pages = contents.flatMap((content, index): PdfObject[] => {
    const { filters, stream } = deflated(
      typeof content === "string" ? Buffer.from(content, "latin1") : content,
    );
    const page = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${first + 2 * index + 1} 0 R
      /Resources << /Font << /F1 4 0 R >> ${resources} >> >>`;
    return [page, { dictionary: filters, stream }];
  });
  return pdfOf(
    [
      "<< /Type /Catalog /Pages 2 0 R >>",
      `<< /Type /Pages /Count ${contents.length} /Kids [${kids}] >>`,
      `<< ${title === undefined ? "" : `/Title (${title})`} >>`,
      ...font,
      ...pages,
    ],
    "/Info 3 0 R",
  );
}

/** A PDF whose pages hold these lines. */
export const textPdf = (pages: readonly (readonly string[])[], options: PdfOptions = {}) =>
  pdfWith(pages.map(drawLines), options);

/** Japanese by a character map that is not in the file, with a font that is not either. */
export const japaneseFont = [
  "<< /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /90ms-RKSJ-H /DescendantFonts [5 0 R] >>",
  `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Ryumin-Light /FontDescriptor 6 0 R
    /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> >>`,
  "<< /Type /FontDescriptor /FontName /Ryumin-Light /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>",
];
