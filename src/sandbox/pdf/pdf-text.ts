/** What pdfjs says of a piece of text: `transform` ends with its place, from the bottom left of the page. */
export interface TextPiece {
  readonly str: string;
  readonly hasEOL: boolean;
  readonly height: number;
  readonly transform: readonly number[];
}

/** Radicals that stand for whole characters (some printers write them), and compatibility forms: one letter each. */
const lookAlikes = /[\u2e80-\u2fdf\uf900-\ufaff]/g;

/** A gap between two lines that is this much higher than a letter separates paragraphs. */
const paragraphGap = 1.9;

/** The text of a page from its pieces, in the order of the document, with its line breaks. */
export function joinPieces(pieces: Iterable<TextPiece>): string {
  let text = "";
  let previous: { readonly y: number; readonly height: number } | undefined;
  let ended = false;
  for (const { str, hasEOL, height, transform } of pieces) {
    const y = transform[5] ?? 0;
    if (str !== "" && height > 0) {
      const gap = previous === undefined ? 0 : previous.y - y;
      if (ended && previous !== undefined && gap > paragraphGap * Math.max(height, previous.height))
        text += "\n";
      previous = { y, height };
    }
    text += str;
    ended = hasEOL || (ended && str === "");
    if (hasEOL) text += "\n";
  }
  return text
    .replace(lookAlikes, (letter) => letter.normalize("NFKC"))
    .replaceAll("\0", "")
    .replace(/[ \t\u00a0]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
