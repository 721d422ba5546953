import { indexed, wordsOf } from "./search-words.ts";
import type { Dialect, NoteQuery, Row, Tx } from "./tx.ts";

const isIndexed = (word: string) => [...word].length >= indexed;

/** FTS5 takes what stands in quotes as text, never as one of its operators. */
const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`;

/**
 * A word up to where three of its characters come again. The index looks each three up in all places where they stand,
 * so that a long row of the same ones would cost its length times that of the notes; what is cut off finds no less.
 */
function untilRepeated(word: string): string {
  const characters = [...word];
  const seen = new Set<string>();
  for (let at = 0; at + indexed <= characters.length; at++) {
    const three = characters.slice(at, at + indexed).join("");
    if (seen.has(three)) return characters.slice(0, at + indexed - 1).join("");
    seen.add(three);
  }
  return word;
}

const likePattern = (word: string) => `%${word.replace(/[\\%_]/g, "\\$&")}%`;

async function searchNotes(tx: Tx, { owner, text, prefix, limit }: NoteQuery): Promise<readonly Row[]> {
  const words = wordsOf(text);
  const looked = new Set(words.filter(isIndexed).map(untilRepeated));
  const query = [...looked].map(quoted).join(" OR ");
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

export const sqliteDialect: Dialect = {
  name: "sqlite",
  searchNotes,
  // Triggers do it.
  indexNote: async () => {},
  // There and back: a page that would be written as it stands is not written at all.
  async prove(tx) {
    await tx`UPDATE schema_version SET version = version + 1`;
    await tx`UPDATE schema_version SET version = version - 1`;
  },
  // One process has its database for itself.
  signal: async () => {},
};
