/** Of a longer text only the beginning is searched for. */
const mostCharacters = 1000;
const mostWords = 64;
/** The index of SQLite holds every three characters that follow each other; what is shorter is looked for without it. */
export const indexed = 3;

export const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** In writing without spaces a word cannot be told from its neighbours: each three characters are looked for. */
function piecesOf(word: string): string[] {
  const characters = [...word];
  if (characters.length <= indexed || !unspaced.test(word)) return [word];
  return characters.slice(indexed - 1).map((_, index) => characters.slice(index, index + indexed).join(""));
}

/** What a text is searched for: its words, once with the signs around them and once without. */
export function wordsOf(text: string): string[] {
  const start = text.slice(0, mostCharacters).toWellFormed().replaceAll("\0", " ").toLowerCase();
  return [...new Set(splitWords(start).flatMap(piecesOf))].slice(0, mostWords);
}

/** All words of a text: without the signs around them, and then as they are written. */
export const splitWords = (text: string): string[] => [
  ...(text.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? []),
  ...(text.match(/\S+/g) ?? []),
];
