import * as v from "valibot";
import { every, int } from "./columns.ts";
import type { Row, Tx } from "./tx.ts";

/** Names a message whose parts are told one by one. */
export interface Whole {
  readonly channel: string;
  /** Where it was said: what comes behind it there is not to overtake it. */
  readonly place: string;
  /** The provider's id of the message in this place. */
  readonly whole: string;
}

export interface Part {
  /** The provider's id of the delivery. */
  readonly id: string;
  /** Where it stands among the parts. */
  readonly number: number;
  readonly part: string;
}

const HeldRow = v.pipe(
  v.object({ place: v.string(), whole: v.string(), since: int, last_at: int }),
  v.transform(({ last_at: lastAt, ...row }) => ({ ...row, lastAt })),
);

/** A message of which parts are held: when the first came, and the last. */
export type Held = Whole & { readonly since: number; readonly lastAt: number };

const PartRow = v.object({ id: v.string(), part: v.string() });

/** Keeps one part more; false when so many are held in this place already. */
export async function hold(tx: Tx, of: Whole & Part, now: number, most: number): Promise<boolean> {
  const { channel, place, whole, id, number, part } = of;
  const held = await tx`
    SELECT 1 FROM held_parts WHERE channel = ${channel} AND place = ${place} LIMIT ${most}`;
  if (held.length >= most) return false;
  await tx`
    INSERT INTO held_parts (channel, id, place, whole, number, held_at, part)
    VALUES (${channel}, ${id}, ${place}, ${whole}, ${number}, ${now}, ${part})
    ON CONFLICT (channel, id) DO NOTHING`;
  return true;
}

const toHeld = (channel: string, rows: readonly Row[]): Held[] =>
  every(HeldRow, rows).map((row) => ({ channel, ...row }));

/** The messages of which parts are held, the oldest first. */
export async function list(tx: Tx, channel: string, most: number): Promise<Held[]> {
  const rows = await tx`
    SELECT place, whole, MIN(held_at) AS since, MAX(held_at) AS last_at FROM held_parts
    WHERE channel = ${channel} GROUP BY place, whole ORDER BY MIN(held_at), MIN(number) LIMIT ${most}`;
  return toHeld(channel, rows);
}

/** Those that were said in one place. */
export async function listOf(tx: Tx, channel: string, place: string, most: number): Promise<Held[]> {
  const rows = await tx`
    SELECT place, whole, MIN(held_at) AS since, MAX(held_at) AS last_at FROM held_parts
    WHERE channel = ${channel} AND place = ${place} GROUP BY place, whole ORDER BY MIN(number) LIMIT ${most}`;
  return toHeld(channel, rows);
}

/** The parts of a message, in its order. */
export async function read(tx: Tx, { channel, place, whole }: Whole, most: number) {
  const rows = await tx`
    SELECT id, part FROM held_parts WHERE channel = ${channel} AND place = ${place} AND whole = ${whole}
    ORDER BY number LIMIT ${most}`;
  return every(PartRow, rows);
}

/** Takes parts away; false when not all of them were there any more. */
export async function release(tx: Tx, channel: string, ids: readonly string[]): Promise<boolean> {
  let released = 0;
  for (const id of ids) {
    const gone = await tx`DELETE FROM held_parts WHERE channel = ${channel} AND id = ${id} RETURNING id`;
    released += gone.length;
  }
  return released === ids.length;
}
