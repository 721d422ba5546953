/** Where a text may be cut, the best first: behind a paragraph, a line, a sentence, a word. */
const ends = [/\n{2,}/g, /\n/g, /[.!?…。!?][\p{Pe}\p{Pf}"']*\s+|[。!?]/gu, /\s+/g];

/** Later than this share of a piece a better place is not waited for. */
const leastShare = 0.4;

let segmenter: Intl.Segmenter | undefined;

/**
 * Cuts a text into pieces of at most `most` UTF-16 units that join to the text again: at paragraph, line, sentence or
 * word ends, never within a grapheme; within a code point never, even where one grapheme is longer than a piece.
 */
export function cutText(text: string, most: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > most) {
    const at = cutAt(rest, most);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return rest === "" ? pieces : [...pieces, rest];
}

function cutAt(text: string, most: number): number {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  // The code point behind the limit decides whether there is a boundary before it.
  const graphemes = segmenter.segment(text.slice(0, most + 2));
  const isBoundary = (at: number) => graphemes.containing(at)?.index === at;
  const window = text.slice(0, most);
  for (const end of ends) {
    const best = window
      .matchAll(end)
      .map((match) => match.index + match[0].length)
      .filter((at) => at >= most * leastShare)
      .toArray()
      .findLast(isBoundary);
    if (best !== undefined) return best;
  }
  const last = graphemes.containing(most)?.index ?? 0;
  if (last > 0) return last;
  const splitsPair = /[\ud800-\udbff]$/.test(window) && /^[\udc00-\udfff]/.test(text.slice(most));
  return splitsPair && most > 1 ? most - 1 : most;
}
