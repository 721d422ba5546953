import * as v from "valibot";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** `sending`: a process is at it, or ended while it was, and nobody knows whether it arrived. */
export const outboxStates = ["pending", "sending", "sent", "dead"] as const;
export type OutboxState = (typeof outboxStates)[number];

/** Who is written to. What goes to one recipient goes in order, sent by one process at a time. */
export interface Line {
  readonly channel: string;
  readonly recipient: string;
}

/** One thing to send. Times in milliseconds since 1970. */
export interface OutboxRow extends Line {
  /** The same each time it is tried. */
  readonly id: string;
  /** Its place among all that goes to this recipient. */
  readonly number: number;
  /** The turn that said it, or another name of what made it. */
  readonly turnId: string;
  readonly kind: string;
  /** Its place among the pieces of what was said, from 0. */
  readonly part: number;
  readonly state: OutboxState;
  readonly attempts: number;
  /** Since when it is tried: when it was made, or was asked for once more. */
  readonly since: number;
  readonly createdAt: number;
  readonly endedAt?: number;
  /** The provider's id of it. */
  readonly providerId?: string;
  /** What the provider said later of its way. */
  readonly receipt?: string;
  readonly lastError?: string;
  /** JSON of the piece; empty once it was sent. */
  readonly piece: string;
}

export const StoredOutbox = v.pipe(
  v.object({
    id: v.string(),
    channel: v.string(),
    recipient: v.string(),
    number: int,
    turn_id: v.string(),
    kind: v.string(),
    part: int,
    state: v.picklist(outboxStates),
    attempts: int,
    since: int,
    created_at: int,
    ended_at: maybeInt,
    provider_id: maybeText,
    receipt: maybeText,
    last_error: maybeText,
    piece: v.string(),
  }),
  v.transform((row): OutboxRow => ({
    id: row.id,
    channel: row.channel,
    recipient: row.recipient,
    number: row.number,
    turnId: row.turn_id,
    kind: row.kind,
    part: row.part,
    state: row.state,
    attempts: row.attempts,
    since: row.since,
    createdAt: row.created_at,
    ...(row.ended_at !== undefined && { endedAt: row.ended_at }),
    ...(row.provider_id !== undefined && { providerId: row.provider_id }),
    ...(row.receipt !== undefined && { receipt: row.receipt }),
    ...(row.last_error !== undefined && { lastError: row.last_error }),
    piece: row.piece,
  })),
);

const LastNumber = v.object({ last_number: int });

export interface NewPieces extends Line {
  readonly turnId: string;
  readonly kind: string;
  /** JSON of each. */
  readonly pieces: readonly string[];
  readonly now: number;
  /** Why none of them can be sent at all. */
  readonly dead?: string;
}

/**
 * Puts pieces behind what already goes to their recipient. Those of a turn, kind and part that is there already are
 * left out: a turn that was taken over says nothing twice.
 */
export async function enqueue(tx: Tx, of: NewPieces): Promise<void> {
  const { channel, recipient, turnId, kind, pieces, now, dead } = of;
  const count = pieces.length;
  if (count === 0) return;
  const due = dead === undefined ? now : null;
  const line = first(
    LastNumber,
    // It holds the line until the commit, so that the numbers have the order of the commits.
    await tx`
      INSERT INTO outbox_lines (channel, recipient, last_number, next_at, owner, lease_until)
      VALUES (${channel}, ${recipient}, ${count}, ${due}, NULL, 0)
      ON CONFLICT (channel, recipient) DO UPDATE SET
        last_number = outbox_lines.last_number + ${count}, next_at = COALESCE(outbox_lines.next_at, ${due})
      RETURNING last_number`,
  );
  const before = (line?.last_number ?? count) - count;
  const state = dead === undefined ? "pending" : "dead";
  for (const [part, piece] of pieces.entries()) {
    await tx`
      INSERT INTO outbox (id, channel, recipient, number, turn_id, kind, part, state, attempts, since, created_at,
        ended_at, last_error, piece)
      VALUES (${Bun.randomUUIDv7()}, ${channel}, ${recipient}, ${before + part + 1}, ${turnId}, ${kind}, ${part},
        ${state}, 0, ${now}, ${now}, ${dead === undefined ? null : now}, ${dead ?? null}, ${piece})
      ON CONFLICT (turn_id, kind, part) DO NOTHING`;
  }
}

/** Tries one that was given up again, before all that waits for its recipient; false when it was not given up. */
export async function retry(tx: Tx, id: string, now: number): Promise<boolean> {
  const Found = v.object({ channel: v.string(), recipient: v.string() });
  const found = first(Found, await tx`SELECT channel, recipient FROM outbox WHERE id = ${id}`);
  if (found === undefined) return false;
  await tx`
    UPDATE outbox_lines SET next_at = COALESCE(next_at, ${now})
    WHERE channel = ${found.channel} AND recipient = ${found.recipient}`;
  const revived = await tx`
    UPDATE outbox SET state = 'pending', since = ${now}, ended_at = NULL
    WHERE id = ${id} AND state = 'dead' RETURNING id`;
  return revived.length > 0;
}

/** Notes what the provider said later of something that it took. */
export async function noteReceipt(
  tx: Tx,
  of: { channel: string; providerId: string; receipt: string },
): Promise<boolean> {
  const noted = await tx`
    UPDATE outbox SET receipt = ${of.receipt}
    WHERE channel = ${of.channel} AND provider_id = ${of.providerId} RETURNING id`;
  return noted.length > 0;
}

const Counts = v.object({ count: int });

/** How much waits to be sent, and how much was given up. */
export async function depth(tx: Tx): Promise<{ waiting: number; dead: number }> {
  const waiting = first(Counts, await tx`SELECT count(*) AS count FROM outbox WHERE ended_at IS NULL`);
  const dead = first(Counts, await tx`SELECT count(*) AS count FROM outbox WHERE state = 'dead'`);
  return { waiting: waiting?.count ?? 0, dead: dead?.count ?? 0 };
}

/** What was said of a turn, in order. */
export async function ofTurn(tx: Tx, turnId: string): Promise<OutboxRow[]> {
  return every(StoredOutbox, await tx`SELECT * FROM outbox WHERE turn_id = ${turnId} ORDER BY kind, part`);
}
