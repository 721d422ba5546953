import * as v from "valibot";
import { AppError } from "../errors.ts";
import { every, first, int } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

/** What an owner keeps under a key. */
export interface Note {
  readonly key: string;
  readonly content: string;
  readonly updatedAt: number;
}

const NoteRow = v.pipe(
  v.object({ key: v.string(), content: v.string(), updated_at: int }),
  v.transform((row): Note => ({ key: row.key, content: row.content, updatedAt: row.updated_at })),
);

/** So that a page of notes, and what is read back to a model, stays bounded. */
const mostKeyCharacters = 512;
const mostCharacters = 131_072;

export async function get(tx: Tx, owner: string, key: string): Promise<Note | undefined> {
  return first(NoteRow, await tx`SELECT * FROM notes WHERE owner = ${owner} AND key = ${key}`);
}

/** Writes a note, or writes it anew. Throws `bad_request` for a key or `payload_too_large` for a text out of bounds. */
export async function put(
  tx: Tx,
  owner: string,
  note: { key: string; content: string; now: number },
): Promise<void> {
  const { key, content, now } = note;
  if (key === "" || key.length > mostKeyCharacters)
    throw new AppError(
      "bad_request",
      `The key of a note has 1 to ${mostKeyCharacters} characters, not ${key.length}.`,
      {
        param: "key",
      },
    );
  if (content.length > mostCharacters)
    throw new AppError(
      "payload_too_large",
      `A note holds at most ${mostCharacters} characters, not ${content.length}: split it into several.`,
      { param: "content" },
    );
  await tx`
    INSERT INTO notes (owner, key, updated_at, content) VALUES (${owner}, ${key}, ${now}, ${content})
    ON CONFLICT (owner, key) DO UPDATE SET updated_at = excluded.updated_at, content = excluded.content`;
  await tx.dialect.indexNote(tx, { owner, key, content });
}

/** False when there was none. */
export async function remove(tx: Tx, owner: string, key: string): Promise<boolean> {
  return (await tx`DELETE FROM notes WHERE owner = ${owner} AND key = ${key} RETURNING key`).length > 0;
}

const Place = v.tuple([v.string()]);

/** The notes of an owner, by key. */
export async function list(tx: Tx, owner: string, { cursor, limit }: PageOptions): Promise<Page<Note>> {
  const size = pageSize(limit);
  const [after] = cursor === undefined ? [""] : readCursor(Place, cursor);
  const rows = await tx`
    SELECT * FROM notes WHERE owner = ${owner} AND key > ${after} ORDER BY key LIMIT ${size + 1}`;
  return toPage(every(NoteRow, rows), size, (last) => [last.key]);
}

/** Notes that have words of a text, best first; any text may be searched for. `prefix` is how their keys begin. */
export async function search(
  tx: Tx,
  owner: string,
  query: string,
  { prefix = "", limit }: { prefix?: string; limit: number },
): Promise<Note[]> {
  return every(
    NoteRow,
    await tx.dialect.searchNotes(tx, { owner, text: query, prefix, limit: pageSize(limit) }),
  );
}
