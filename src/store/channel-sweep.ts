import type { Tx } from "./tx.ts";

/** Until when things of channels are forgotten, in milliseconds since 1970. */
export interface ChannelSweep {
  /** Deliveries that were seen before then. */
  readonly deliveries: number;
  /** What was sent before then. */
  readonly sent: number;
  /** What was given up before then. */
  readonly dead: number;
  /** Codes that ran out before then. */
  readonly codes: number;
}

/**
 * Deletes at most `most` lines to recipients for whom the outbox holds nothing any more; false when there may be more.
 * In a commit of its own: who wants something sent again takes the line before its row.
 */
export async function sweepLines(tx: Tx, most: number): Promise<boolean> {
  // The last number: what is put into a line meanwhile keeps it.
  const deleted = await tx`
    DELETE FROM outbox_lines WHERE next_at IS NULL AND owner IS NULL AND (channel, recipient, last_number) IN (
      SELECT channel, recipient, last_number FROM outbox_lines
      WHERE next_at IS NULL AND owner IS NULL
        AND (channel, recipient) NOT IN (SELECT channel, recipient FROM outbox)
      LIMIT ${most})
    RETURNING recipient`;
  return deleted.length < most;
}

/** Deletes at most `most` rows of each kind that had their time; false when there may be more. */
export async function sweepChannels(tx: Tx, before: ChannelSweep, most: number): Promise<boolean> {
  const deliveries = await tx`
    DELETE FROM deliveries WHERE (channel, id) IN (
      SELECT channel, id FROM deliveries WHERE seen_at < ${before.deliveries} ORDER BY seen_at LIMIT ${most})
    RETURNING id`;
  const sent = await tx`
    DELETE FROM outbox WHERE id IN (
      SELECT id FROM outbox
      WHERE ended_at IS NOT NULL AND ended_at < ${before.sent} AND state = 'sent' ORDER BY ended_at LIMIT ${most})
    RETURNING id`;
  const dead = await tx`
    DELETE FROM outbox WHERE id IN (
      SELECT id FROM outbox
      WHERE ended_at IS NOT NULL AND ended_at < ${before.dead} AND state = 'dead' ORDER BY ended_at LIMIT ${most})
    RETURNING id`;
  const previews = await tx`
    DELETE FROM previews WHERE turn_id IN (
      SELECT turn_id FROM previews WHERE created_at < ${before.sent} LIMIT ${most})
    RETURNING turn_id`;
  const codes = await tx`
    DELETE FROM pairings WHERE (channel, sender) IN (
      SELECT channel, sender FROM pairings WHERE approved_at IS NULL AND expires_at < ${before.codes} LIMIT ${most})
    RETURNING sender`;
  return [deliveries, sent, dead, previews, codes].every((deleted) => deleted.length < most);
}
