import { indexed, splitWords, unspaced, wordsOf } from "../search-words.ts";
import type { Dialect, NoteQuery, Row, Tx } from "../tx.ts";

/** The most of a text that the index holds, below what a tsvector takes (1 MB); the rest is found by substring alone. */
const indexBytes = 600_000;
const wordCharacters = 250;
const lastPosition = 16_383;
/** Where no word begins as one that is asked for, so many of an owner's newest notes are looked through. */
const lookedThrough = 500;
const substringWords = 16;

/** Without case and accents, as the documents and what they are searched for are compared. */
export const fold = (text: string) =>
  text
    .toWellFormed()
    .replaceAll("\0", " ")
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .normalize("NFC")
    .toLowerCase();

/** In writing without spaces every place begins a word; all three characters from there are kept, fewer at the end. */
function keptOf(word: string): string[] {
  if (!unspaced.test(word)) return [word.slice(0, wordCharacters).toWellFormed()];
  const characters = [...word];
  return characters.map((_, index) => characters.slice(index, index + indexed).join(""));
}

const quoted = (word: string) => `'${word.replace(/['\\]/g, "$&$&")}'`;

/** The words of a folded text with their places, as PostgreSQL reads a tsvector. */
export function vectorOf(folded: string): string {
  const places = new Map<string, number[]>();
  let bytes = 0;
  let place = 0;
  for (const word of splitWords(folded).flatMap(keptOf)) {
    const known = places.get(word);
    bytes += known === undefined ? Buffer.byteLength(word) + 8 : 2;
    if (bytes > indexBytes) break;
    place = Math.min(place + 1, lastPosition);
    if (known === undefined) places.set(word, [place]);
    // More of them would be dropped.
    else if (known.length < 255) known.push(place);
  }
  return [...places].map(([word, at]) => `${quoted(word)}:${at.join(",")}`).join(" ");
}

/** A short word of Latin letters begins too many others. */
const isBeginning = (word: string) => word.length >= indexed || /[^\p{ASCII}]/u.test(word);

const queryOf = (words: readonly string[]) =>
  words
    .map((word) => `${quoted(word.slice(0, wordCharacters).toWellFormed())}${isBeginning(word) ? ":*" : ""}`)
    .join(" | ");

export const indexNote: Dialect["indexNote"] = async (tx, { owner, key, content }) => {
  const folded = fold(`${key} ${content}`);
  await tx`
    INSERT INTO notes_search (owner, key, words, folded)
    VALUES (${owner}, ${key}, CAST(${vectorOf(folded)} AS tsvector), ${folded})
    ON CONFLICT (owner, key) DO UPDATE SET words = excluded.words, folded = excluded.folded`;
};

export async function searchNotes(tx: Tx, query: NoteQuery): Promise<readonly Row[]> {
  const { owner, prefix, limit } = query;
  const words = wordsOf(fold(query.text));
  if (words.length === 0) return [];
  const wanted = queryOf(words);
  const found = await tx`
    SELECT notes.* FROM notes_search JOIN notes USING (owner, key)
    WHERE owner = ${owner} AND starts_with(key, ${prefix}) AND words @@ CAST(${wanted} AS tsquery)
    ORDER BY ts_rank(words, CAST(${wanted} AS tsquery), 1) DESC, updated_at DESC, key LIMIT ${limit}`;
  return found.length > 0 ? found : searchWithin(tx, query, words.slice(0, substringWords));
}

/** Finds parts of words, bounded: there is no index for it. (To a parameter of type json the driver adds quotes.) */
const searchWithin = (tx: Tx, { owner, prefix, limit }: NoteQuery, words: readonly string[]) => tx`
  SELECT recent.* FROM (
    SELECT * FROM notes WHERE owner = ${owner} AND starts_with(key, ${prefix})
    ORDER BY updated_at DESC, key LIMIT ${lookedThrough}
  ) AS recent JOIN notes_search USING (owner, key) CROSS JOIN LATERAL (
    SELECT count(*) AS hits FROM json_array_elements_text(
      CAST(CAST(${JSON.stringify(words)} AS text) AS json)
    ) AS word
    WHERE strpos(folded, word) > 0
  ) AS counted
  WHERE hits > 0 ORDER BY hits DESC, updated_at DESC, key LIMIT ${limit}`;
