import type { Dialect, NoteQuery, Row, Tx } from "./tx.ts";

/** Of a longer text only the beginning is searched for. */
const mostCharacters = 1000;
const mostWords = 64;
/** The index holds every three characters that follow each other; what is shorter is looked for without it. */
const indexed = 3;

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** In writing without spaces a word cannot be told from its neighbours: each three characters are looked for. */
function piecesOf(word: string): string[] {
  const characters = [...word];
  if (characters.length <= indexed || !unspaced.test(word)) return [word];
  return characters.slice(indexed - 1).map((_, index) => characters.slice(index, index + indexed).join(""));
}

/** What a text is searched for: its words, once with the signs around them and once without. */
function wordsOf(text: string): string[] {
  const start = text.slice(0, mostCharacters).toWellFormed().replaceAll("\0", " ").toLowerCase();
  const asWritten = start.match(/\S+/g) ?? [];
  const bare = start.match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
  return [...new Set([...bare, ...asWritten].flatMap(piecesOf))].slice(0, mostWords);
}

const isIndexed = (word: string) => [...word].length >= indexed;

/** FTS5 takes what stands in quotes as text, never as one of its operators. */
const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`;

const likePattern = (word: string) => `%${word.replace(/[\\%_]/g, "\\$&")}%`;

async function searchNotes(tx: Tx, { owner, text, prefix, limit }: NoteQuery): Promise<readonly Row[]> {
  const words = wordsOf(text);
  const query = words.filter(isIndexed).map(quoted).join(" OR ");
  if (query !== "") {
    const found = await tx`
      SELECT notes.* FROM notes_search
        JOIN notes_numbers ON notes_numbers.number = notes_search.rowid
        JOIN notes ON notes.owner = notes_numbers.owner AND notes.key = notes_numbers.key
      WHERE notes_search MATCH ${query} AND notes.owner = ${owner}
        AND substr(notes.key, 1, length(${prefix})) = ${prefix}
      ORDER BY notes_search.rank LIMIT ${limit}`;
    if (found.length > 0) return found;
  }
  // Only short ones: a long pattern over a long text can take long.
  const patterns = JSON.stringify(words.filter((word) => !isIndexed(word)).map(likePattern));
  return tx`
    SELECT notes.*, (
      SELECT count(*) FROM json_each(${patterns})
      WHERE notes.key LIKE value ESCAPE '\\' OR notes.content LIKE value ESCAPE '\\'
    ) AS hits
    FROM notes
    WHERE owner = ${owner} AND substr(key, 1, length(${prefix})) = ${prefix} AND hits > 0
    ORDER BY hits DESC, updated_at DESC LIMIT ${limit}`;
}

export const sqliteDialect: Dialect = { name: "sqlite", searchNotes };
