import type { Tx } from "./tx.ts";

/** Remembers a delivery of a provider; false when it was seen before. */
export async function remember(tx: Tx, channel: string, id: string, now: number): Promise<boolean> {
  const added = await tx`
    INSERT INTO deliveries (channel, id, seen_at) VALUES (${channel}, ${id}, ${now})
    ON CONFLICT (channel, id) DO NOTHING RETURNING id`;
  return added.length > 0;
}

/** True when a delivery was seen after `since`. */
export async function isKnown(
  tx: Tx,
  { channel, id }: { readonly channel: string; readonly id: string },
  since: number,
): Promise<boolean> {
  const seen = await tx`
    SELECT 1 FROM deliveries WHERE channel = ${channel} AND id = ${id} AND seen_at > ${since}`;
  return seen.length > 0;
}

/** Remembers a delivery for a while: false when it was seen before and not longer ago. */
export async function rememberFor(
  tx: Tx,
  { channel, id }: { channel: string; id: string },
  { now, forMs }: { now: number; forMs: number },
): Promise<boolean> {
  const added = await tx`
    INSERT INTO deliveries (channel, id, seen_at) VALUES (${channel}, ${id}, ${now})
    ON CONFLICT (channel, id) DO UPDATE SET seen_at = excluded.seen_at
      WHERE deliveries.seen_at <= ${now - forMs} RETURNING id`;
  return added.length > 0;
}
