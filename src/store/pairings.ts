import * as v from "valibot";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

/** A sender who asked to be admitted, or was. Times in milliseconds since 1970. */
export interface Pairing {
  readonly channel: string;
  readonly sender: string;
  /** As the sender calls themselves. */
  readonly name?: string;
  /** Where they are written to. */
  readonly recipient: string;
  readonly askedAt: number;
  /** Of the code, while one is open. */
  readonly expiresAt: number;
  readonly tries: number;
  readonly salt?: string;
  readonly codeHash?: string;
  readonly approvedAt?: number;
  readonly approvedBy?: string;
}

const StoredPairing = v.pipe(
  v.object({
    channel: v.string(),
    sender: v.string(),
    name: maybeText,
    recipient: v.string(),
    asked_at: int,
    expires_at: int,
    tries: int,
    salt: maybeText,
    code_hash: maybeText,
    approved_at: maybeInt,
    approved_by: maybeText,
  }),
  v.transform((row): Pairing => ({
    channel: row.channel,
    sender: row.sender,
    ...(row.name !== undefined && { name: row.name }),
    recipient: row.recipient,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    tries: row.tries,
    ...(row.salt !== undefined && { salt: row.salt }),
    ...(row.code_hash !== undefined && { codeHash: row.code_hash }),
    ...(row.approved_at !== undefined && { approvedAt: row.approved_at }),
    ...(row.approved_by !== undefined && { approvedBy: row.approved_by }),
  })),
);

export async function find(tx: Tx, channel: string, sender: string): Promise<Pairing | undefined> {
  const rows = await tx`SELECT * FROM pairings WHERE channel = ${channel} AND sender = ${sender}`;
  return first(StoredPairing, rows);
}

/** Opens a code for a sender; false when one was opened at `notSince` or later, or the sender was admitted. */
export async function ask(
  tx: Tx,
  of: Pairing & { readonly salt: string; readonly codeHash: string },
  notSince: number,
): Promise<boolean> {
  const asked = await tx`
    INSERT INTO pairings (channel, sender, name, recipient, asked_at, expires_at, tries, salt, code_hash)
    VALUES (${of.channel}, ${of.sender}, ${of.name ?? null}, ${of.recipient}, ${of.askedAt}, ${of.expiresAt}, 0,
      ${of.salt}, ${of.codeHash})
    ON CONFLICT (channel, sender) DO UPDATE SET name = excluded.name, recipient = excluded.recipient,
      asked_at = excluded.asked_at, expires_at = excluded.expires_at, tries = 0, salt = excluded.salt,
      code_hash = excluded.code_hash
    WHERE pairings.approved_at IS NULL AND pairings.asked_at < ${notSince}
    RETURNING sender`;
  return asked.length > 0;
}

const Count = v.object({ count: int });

/** Senders of a channel who asked since then and were not admitted. */
export async function countAsked(tx: Tx, channel: string, since: number): Promise<number> {
  const rows = await tx`
    SELECT count(*) AS count FROM pairings
    WHERE channel = ${channel} AND approved_at IS NULL AND expires_at > ${since}`;
  return first(Count, rows)?.count ?? 0;
}

/** The codes of a channel that are still open, or the one of a sender. They stay as they are until the commit. */
export async function open(
  tx: Tx,
  of: { readonly channel: string; readonly sender?: string; readonly now: number },
): Promise<Pairing[]> {
  // It changes nothing, and takes the locks of the rows where there is more than one writer.
  const rows = await tx`
    UPDATE pairings SET tries = tries
    WHERE channel = ${of.channel} AND approved_at IS NULL AND code_hash IS NOT NULL AND expires_at > ${of.now}
    RETURNING *`;
  const all = every(StoredPairing, rows);
  return of.sender === undefined ? all : all.filter(({ sender }) => sender === of.sender);
}

/** Counts a wrong code against an open one, which is void at the last. */
export async function countWrong(tx: Tx, of: Pairing, mostTries: number): Promise<void> {
  const { channel, sender } = of;
  await tx`UPDATE pairings SET tries = tries + 1 WHERE channel = ${channel} AND sender = ${sender}`;
  await tx`
    UPDATE pairings SET code_hash = NULL, salt = NULL
    WHERE channel = ${channel} AND sender = ${sender} AND approved_at IS NULL AND tries >= ${mostTries}`;
}

/** Admits a sender who asked. */
export async function approve(
  tx: Tx,
  of: { readonly channel: string; readonly sender: string; readonly by: string; readonly now: number },
): Promise<void> {
  await tx`
    UPDATE pairings SET approved_at = ${of.now}, approved_by = ${of.by}, code_hash = NULL, salt = NULL
    WHERE channel = ${of.channel} AND sender = ${of.sender}`;
}

/** Takes an admission back, or forgets who asked; false when there is neither. */
export async function remove(tx: Tx, channel: string, sender: string): Promise<boolean> {
  const gone =
    await tx`DELETE FROM pairings WHERE channel = ${channel} AND sender = ${sender} RETURNING sender`;
  return gone.length > 0;
}

const Place = v.tuple([v.string(), v.string()]);

/** All who were admitted or asked, by channel and sender. */
export async function list(tx: Tx, { cursor, limit }: PageOptions): Promise<Page<Pairing>> {
  const size = pageSize(limit);
  const [channel, sender] = cursor === undefined ? ["", ""] : readCursor(Place, cursor);
  const rows = await tx`
    SELECT * FROM pairings WHERE (channel, sender) > (${channel}, ${sender})
    ORDER BY channel, sender LIMIT ${size + 1}`;
  return toPage(every(StoredPairing, rows), size, (last) => [last.channel, last.sender]);
}
