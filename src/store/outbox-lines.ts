import * as v from "valibot";
import { every, first, int, maybeInt } from "./columns.ts";
import { type Line, type OutboxRow, StoredOutbox } from "./outbox.ts";
import type { Tx } from "./tx.ts";

/** By what right a process sends for a recipient: until then no other one does. */
export interface Hold {
  readonly owner: string;
  readonly now: number;
  readonly leaseMs: number;
}

/** What became of one try. */
export type Outcome =
  | { readonly kind: "sent"; readonly providerId?: string }
  /** `asked`: the provider wants to be left alone until then. */
  | { readonly kind: "later"; readonly at: number; readonly why: string; readonly asked?: boolean }
  | { readonly kind: "dead"; readonly why: string };

const StoredLine = v.object({ channel: v.string(), recipient: v.string() });
const NextAt = v.object({ next_at: maybeInt });

/** What takes the place of what a person saw growing: a question in between leaves that where it is. */
export const isAnswer = ({ kind, part }: OutboxRow) => part === 0 && (kind === "answer" || kind === "failed");

/** Recipients of a channel who can be written to now and whom no process holds, the longest due first. */
export async function due(tx: Tx, channel: string, now: number, limit: number): Promise<Line[]> {
  const rows = await tx`
    SELECT channel, recipient FROM outbox_lines
    WHERE channel = ${channel} AND next_at IS NOT NULL AND next_at <= ${now} AND lease_until <= ${now}
    ORDER BY next_at LIMIT ${limit}`;
  return every(StoredLine, rows);
}

/** True while something waits to be sent to a recipient, or is being sent. */
export async function isWaiting(tx: Tx, { channel, recipient }: Line): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM outbox_lines
    WHERE channel = ${channel} AND recipient = ${recipient} AND next_at IS NOT NULL`;
  return rows.length > 0;
}

/** When the next recipient of a channel can be written to, or a process that holds one is taken for gone. */
export async function nextAt(tx: Tx, channel: string): Promise<number | undefined> {
  const rows = await tx`
    SELECT MIN(CASE WHEN lease_until > next_at THEN lease_until ELSE next_at END) AS next_at
    FROM outbox_lines WHERE channel = ${channel} AND next_at IS NOT NULL`;
  return first(NextAt, rows)?.next_at;
}

/**
 * Takes a recipient for this process, and says that the oldest of what waits for them is being sent. Undefined when
 * another process was faster, or when nothing waits. `state` of the row is the one from before: `sending` when a
 * process ended while it sent it.
 */
export async function claim(tx: Tx, line: Line, hold: Hold): Promise<OutboxRow | undefined> {
  const { channel, recipient } = line;
  const held = await tx`
    UPDATE outbox_lines SET owner = ${hold.owner}, lease_until = ${hold.now + hold.leaseMs}
    WHERE channel = ${channel} AND recipient = ${recipient} AND next_at <= ${hold.now} AND lease_until <= ${hold.now}
    RETURNING channel`;
  return held.length === 0 ? undefined : takeNext(tx, line, hold);
}

/** The line is held by this write: nothing comes into it before the commit. */
async function takeNext(tx: Tx, { channel, recipient }: Line, hold: Hold): Promise<OutboxRow | undefined> {
  const next = first(
    StoredOutbox,
    await tx`
      SELECT * FROM outbox WHERE channel = ${channel} AND recipient = ${recipient} AND ended_at IS NULL
      ORDER BY number LIMIT 1`,
  );
  if (next === undefined) {
    await tx`
      UPDATE outbox_lines SET next_at = NULL, owner = NULL, lease_until = 0
      WHERE channel = ${channel} AND recipient = ${recipient}`;
    return undefined;
  }
  const sending = await tx`
    UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ${next.id} RETURNING attempts`;
  const Attempts = v.object({ attempts: int });
  await tx`
    UPDATE outbox_lines SET next_at = ${hold.now}, lease_until = ${hold.now + hold.leaseMs}
    WHERE channel = ${channel} AND recipient = ${recipient}`;
  return { ...next, attempts: first(Attempts, sending)?.attempts ?? next.attempts + 1 };
}

/** Notes what became of a row and, with `goOn`, takes the next one for the same recipient. */
export async function note(
  tx: Tx,
  row: OutboxRow,
  outcome: Outcome,
  { goOn, ...hold }: Hold & { readonly goOn: boolean },
): Promise<OutboxRow | undefined> {
  const { id, channel, recipient } = row;
  const held = await tx`
    UPDATE outbox_lines SET lease_until = ${hold.now + hold.leaseMs}
    WHERE channel = ${channel} AND recipient = ${recipient} AND owner = ${hold.owner} RETURNING channel`;
  const isOurs = held.length > 0;
  // That it arrived is so whoever holds the recipient meanwhile. What it said stands in its session, and nowhere else.
  if (outcome.kind === "sent")
    await tx`
      UPDATE outbox SET state = 'sent', ended_at = ${hold.now}, provider_id = ${outcome.providerId ?? null}, piece = ''
      WHERE id = ${id} AND ended_at IS NULL`;
  else if (isOurs && outcome.kind === "dead")
    await tx`
      UPDATE outbox SET state = 'dead', ended_at = ${hold.now}, last_error = ${outcome.why}
      WHERE id = ${id} AND ended_at IS NULL`;
  else if (isOurs)
    await tx`
      UPDATE outbox SET state = 'pending', last_error = ${outcome.kind === "later" ? outcome.why : null}
      WHERE id = ${id} AND ended_at IS NULL`;
  if (outcome.kind !== "later" && isAnswer(row)) await tx`DELETE FROM previews WHERE turn_id = ${row.turnId}`;
  if (!isOurs) return undefined;
  if (outcome.kind !== "later" && goOn) return takeNext(tx, row, hold);
  await tx`
    UPDATE outbox_lines SET next_at = ${outcome.kind === "later" ? outcome.at : hold.now}, owner = NULL, lease_until = 0
    WHERE channel = ${channel} AND recipient = ${recipient}`;
  return undefined;
}

/** Lets a recipient whom no process holds wait. */
export async function putOff(
  tx: Tx,
  { channel, recipient }: Line,
  of: { now: number; until: number },
): Promise<void> {
  await tx`
    UPDATE outbox_lines SET next_at = ${of.until}
    WHERE channel = ${channel} AND recipient = ${recipient} AND next_at <= ${of.now} AND lease_until <= ${of.now}`;
}

/** Lets nobody wait who would be written to later than `latest`: their time was counted by a clock that was ahead. */
export async function endWaits(tx: Tx, of: { now: number; latest: number }): Promise<void> {
  await tx`UPDATE outbox_lines SET next_at = ${of.now} WHERE next_at > ${of.latest}`;
}

/** Gives back what a process holds; without a name what anybody held: whoever is alone with its store. */
export async function release(tx: Tx, owner?: string): Promise<void> {
  if (owner === undefined)
    await tx`UPDATE outbox_lines SET owner = NULL, lease_until = 0 WHERE lease_until > 0`;
  else await tx`UPDATE outbox_lines SET owner = NULL, lease_until = 0 WHERE owner = ${owner}`;
}
