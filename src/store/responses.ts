import * as v from "valibot";
import { AppError } from "../errors.ts";
import { type Message, Role } from "../llm/message.ts";
import { every, first, maybeText } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** An answer of `/v1/responses` that is kept for its owner, with the messages that it adds to what came before it. */
export interface StoredResponse {
  readonly id: string;
  readonly owner: string;
  /** The response that it continues. */
  readonly previousId?: string;
  /** The JSON text that is told of it. */
  readonly response: string;
  /** What its client said, and what came of it, oldest first; texts of the system are among them. */
  readonly messages: readonly Message[];
  readonly now: number;
}

const Told = v.object({ owner: v.string(), response: v.string() });
const Link = v.object({ id: v.string(), previous_id: maybeText, messages: v.string() });
const Messages = v.array(
  v.object({ role: Role, json: v.string(), callIds: v.array(v.string()), meta: v.optional(v.string()) }),
);

export async function insert(tx: Tx, of: StoredResponse): Promise<void> {
  const messages = JSON.stringify(
    of.messages.map(({ role, json, callIds, meta }) => ({ role, json, callIds, meta })),
  );
  await tx`
    INSERT INTO responses (id, owner, previous_id, bytes, created_at, response, messages)
    VALUES (${of.id}, ${of.owner}, ${of.previousId ?? null}, ${Buffer.byteLength(messages)}, ${of.now},
      ${of.response}, ${messages})`;
}

export async function find(tx: Tx, id: string): Promise<{ owner: string; response: string } | undefined> {
  return first(Told, await tx`SELECT owner, response FROM responses WHERE id = ${id}`);
}

/** False when there is none. What continues it can then be read, but not be continued any more. */
export async function remove(tx: Tx, id: string): Promise<boolean> {
  return (await tx`DELETE FROM responses WHERE id = ${id} RETURNING id`).length > 0;
}

/**
 * Deletes at most `limit` responses that were made before a time and that no other continues: a conversation goes from
 * its end on, and one that was continued since stays whole. Returns how many; 0 when none is left.
 */
export async function removeBefore(tx: Tx, before: number, limit: number): Promise<number> {
  const removed = await tx`
    DELETE FROM responses WHERE id IN (
      SELECT id FROM responses AS old
      WHERE created_at < ${before} AND NOT EXISTS (SELECT 1 FROM responses WHERE previous_id = old.id)
      ORDER BY created_at, id LIMIT ${limit}
    ) RETURNING id`;
  return removed.length;
}

/**
 * The messages of a conversation that ends with a response, oldest first: the newest responses that have `maxBytes`
 * together, and at least one. Throws `not_found` when one of them was deleted.
 */
export async function conversation(tx: Tx, id: string, maxBytes: number): Promise<Message[]> {
  const rows = await tx`
    WITH RECURSIVE back (id, previous_id, total, depth) AS (
      SELECT id, previous_id, bytes, CAST(1 AS BIGINT) FROM responses WHERE id = ${id}
      UNION ALL
      SELECT older.id, older.previous_id, back.total + older.bytes, back.depth + 1
      FROM back JOIN responses AS older ON older.id = back.previous_id
      WHERE back.total + older.bytes <= ${maxBytes}
    )
    SELECT responses.id, responses.previous_id, responses.messages
    FROM back JOIN responses ON responses.id = back.id ORDER BY back.depth DESC`;
  const links = every(Link, rows);
  const missing = links[0]?.previous_id;
  if (links.length === 0 || (missing !== undefined && (await find(tx, missing)) === undefined))
    throw new AppError(
      "not_found",
      links.length === 0
        ? `There is no response ${id}.`
        : `Cannot continue response ${id}: ${missing}, which it continues, was deleted.`,
      { param: "previous_response_id" },
    );
  return links.flatMap((link) => v.parse(Messages, JSON.parse(link.messages)));
}
