import * as outbox from "../store/outbox.ts";
import type { Tx } from "../store/tx.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { Deliver, Said } from "../turns/deliver.ts";
import type { Channel, Piece } from "./channel.ts";
import { cutText } from "./cut-text.ts";

/** Channels by their names. */
export type Channels = ReadonlyMap<string, Channel>;

/** Something to tell a person that no turn said; told once for each `id`. */
export interface Notice {
  readonly id: string;
  readonly kind: string;
  readonly channel: string;
  readonly recipient: string;
  readonly text: string;
}

export interface Deliveries extends Deliver {
  /** Writes a notice down, with the commit of `tx`; call `committed` behind it. */
  post(tx: Tx, notice: Notice): Promise<void>;
}

/** Of what waits for a channel that is off, in UTF-16 units: each of them takes so much in one message. */
const longestPiece = 1600;
const noAnswer = "(There was no text in the answer.)";

/** How each channel can send it, when it is on. */
const plainPieces = (text: string): readonly Piece[] =>
  cutText(text, longestPiece)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .map((piece) => ({ kind: "text", text: piece }));

/** What is sent for what was said; no channel: it is off. */
function piecesOf(
  channel: Channel | undefined,
  { kind, text, approvalId }: Pick<Said, "kind" | "text" | "approvalId">,
): readonly Piece[] {
  if (kind === "approval") return [{ kind, text, ...(approvalId !== undefined && { approvalId }) }];
  const all = text.trim() === "" ? noAnswer : text;
  if (channel === undefined) return plainPieces(all);
  try {
    const pieces = channel.pieces(all);
    return pieces.length > 0 ? pieces : [{ kind: "text", text: noAnswer }];
  } catch (error) {
    // The end of a turn must not hang on how a channel cuts: what is too long is refused by its provider, visibly.
    log.error("an answer could not be cut into pieces", { channel: channel.name, error });
    return [{ kind: "text", text: all }];
  }
}

/** Turns what is said into rows of the outbox; `committed` wakes who sends them. */
export function createDeliveries(
  channels: Channels,
  { committed, now = Date.now }: { committed: () => void; now?: () => number },
): Deliveries {
  async function put(
    tx: Tx,
    line: outbox.Line,
    of: { turnId: string; kind: string },
    said: Pick<Said, "kind" | "text" | "approvalId">,
  ) {
    const { channel, recipient } = line;
    const found = channels.get(channel);
    await outbox.enqueue(tx, {
      channel,
      recipient,
      ...of,
      pieces: piecesOf(found, said).map((piece) => JSON.stringify(piece)),
      now: now(),
      ...(found === undefined && {
        dead: `There is no channel ${channel} here: set what turns it on, then retry.`,
      }),
    });
  }

  return {
    committed,
    async write(tx, said) {
      const { delivery, turnId, kind, approvalId } = said;
      if (kind === "failed" && delivery.answersOnly === true) return;
      // One turn asks about many calls, and a turn that goes on after a restart asks again.
      const name = kind === "approval" ? `approval:${approvalId ?? ""}` : kind;
      await put(tx, delivery, { turnId, kind: name }, said);
    },
    post: (tx, { id, kind, text, ...line }) => put(tx, line, { turnId: id, kind }, { kind: "answer", text }),
  };
}
