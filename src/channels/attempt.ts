import * as v from "valibot";
import type { OutboxRow } from "../store/outbox.ts";
import type { Outcome } from "../store/outbox-lines.ts";
import { maskSecrets } from "../telemetry/mask.ts";
import { DeliveryError, type Channel } from "./channel.ts";

export interface Attempting {
  readonly channel: Channel;
  readonly row: OutboxRow;
  /** Id of the preview that the row replaces. */
  readonly replaces?: string | undefined;
  readonly now: () => number;
  readonly giveUpMs: number;
  readonly timeoutMs: number;
  /** Ends it: what became of it is not known then. */
  readonly signal: AbortSignal;
}

const StoredPiece = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    kind: v.picklist(["text", "photo", "approval"]),
    text: v.string(),
    approvalId: v.optional(v.string()),
  }),
);

const firstWaitMs = 1000;
const longestWaitMs = 15 * 60_000;
/** However long a provider wants to be left alone. */
export const longestRetryAfterMs = 86_400_000;
const longestReason = 500;

/** Half of it by chance, so that what failed together does not come back together. */
const backoffMs = (attempts: number) =>
  Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts - 1, 20)) * (0.5 + Math.random() / 2);

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return maskSecrets(text.slice(0, 4 * longestReason))
    .slice(0, longestReason)
    .toWellFormed();
}

/** Resolves with what `send` says, and throws when the signal ends, also where `send` does not look at it. */
async function sendInTime({ channel, row, replaces, timeoutMs, signal }: Attempting) {
  const piece = v.parse(StoredPiece, row.piece);
  const late = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([late, signal]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = () =>
    reject(new Error(late.aborted ? `It took longer than ${timeoutMs} ms.` : "The server is stopping."));
  either.addEventListener("abort", end, { once: true });
  if (either.aborted) end();
  try {
    const sending = {
      key: row.id,
      recipient: row.recipient,
      piece,
      ...(replaces !== undefined && { replaces }),
    };
    return await Promise.race([channel.send(sending, either), ended]);
  } finally {
    either.removeEventListener("abort", end);
  }
}

/** Tries to send one piece, once; undefined when the signal ended it, so that nobody knows whether it arrived. */
export async function attempt(attempting: Attempting): Promise<Outcome | undefined> {
  const { row, now, giveUpMs, signal } = attempting;
  try {
    const { id } = await sendInTime(attempting);
    return { kind: "sent", ...(id !== undefined && { providerId: id }) };
  } catch (error) {
    if (signal.aborted) return undefined;
    const why = reasonOf(error);
    const told = error instanceof DeliveryError ? error : undefined;
    if (told?.final === true || error instanceof v.ValiError) return { kind: "dead", why };
    if (now() - row.since >= giveUpMs)
      return { kind: "dead", why: `Given up after ${row.attempts} tries: ${why}` };
    const asked = told?.retryAfterMs;
    const waitMs =
      asked === undefined ? backoffMs(row.attempts) : Math.min(Math.max(0, asked), longestRetryAfterMs);
    return { kind: "later", at: now() + Math.ceil(waitMs), why, asked: asked !== undefined };
  }
}
