import type { Approvals } from "../agent/approvals.ts";
import { verdictText } from "../agent/plain-text.ts";
import { plainRequest } from "../agent/turn.ts";
import { AppError, publicError } from "../errors.ts";
import * as deliveries from "../store/deliveries.ts";
import type { Store } from "../store/open.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { NewTurn, Turns } from "../turns/turns.ts";
import type { Admitted } from "./admission.ts";
import { type AttachmentParts, readAttachments } from "./attachments.ts";
import type { Channel, Inbound, Inbox, Taken } from "./channel.ts";
import type { Previews } from "./previews.ts";

export interface InboxParts {
  readonly store: Store;
  readonly turns: Pick<Turns, "accept">;
  readonly approvals: Pick<Approvals, "decide">;
  readonly admit: (channel: Channel, message: Inbound) => Promise<Admitted>;
  readonly isAdmitted: (channel: Channel, senderId: string) => Promise<boolean>;
  readonly attachments: AttachmentParts;
  readonly previews?: Previews;
  /** How long a delivery is known again. */
  readonly replayMs: number;
  readonly now?: () => number;
}

const longestText = 10_240;

/** Thrown inside the commit to undo it: the delivery came while it was looked at. */
const repeated = new AppError("conflict", "This delivery was taken before.");

function cut(text: string): string {
  if (text.length <= longestText) return text;
  // Half a character at the cut is left out.
  const kept = text.slice(0, longestText).replace(/[\ud800-\udbff]$/, "");
  return `${kept}\n[The message was cut here: it had ${text.length} characters.]`;
}

/** The door of all channels: what they have proved is admitted or not, and what is admitted becomes a turn. */
export function createInbox(parts: InboxParts): Inbox {
  const { store, turns, approvals, admit, previews, replayMs, now = Date.now } = parts;
  const nameOf = (channel: Channel, message: Inbound) => ({ channel: channel.name, id: message.deliveryId });

  /** Undefined when there is nothing in it. */
  async function toTurn(channel: Channel, message: Inbound): Promise<NewTurn | undefined> {
    const from = nameOf(channel, message);
    const { lines, images } = await readAttachments(message.attachments ?? [], from, parts.attachments);
    const text = [cut(message.text), ...lines].filter((line) => line.trim() !== "").join("\n");
    if (text === "" && images.length === 0) return undefined;
    return {
      sessionId: message.sessionId,
      principal: { name: message.principal, scope: "chat" },
      channel: channel.name,
      text,
      ...(images.length > 0 && { content: [{ type: "text", text }, ...images] }),
      request: plainRequest,
      delivery: { channel: channel.name, recipient: message.recipient },
    };
  }

  async function accept(channel: Channel, message: Inbound, turn: NewTurn): Promise<Taken> {
    const listener = previews?.begin(channel, message.recipient);
    try {
      const { turnId, sessionId } = await turns.accept(turn, listener, async (tx) => {
        const at = { now: now(), forMs: replayMs };
        if (!(await deliveries.rememberFor(tx, nameOf(channel, message), at))) throw repeated;
        if ((await message.also?.(tx)) === false) throw repeated;
      });
      return { kind: "accepted", turnId, sessionId };
    } catch (error) {
      if (error === repeated) return { kind: "repeated" };
      const { code } = publicError(error);
      // A session of this name that is somebody else's: to try again would not help.
      if (code !== "not_found") throw error;
      log.error("a message is for a session of another principal", {
        session: turn.sessionId,
        channel: channel.name,
      });
      return { kind: "refused" };
    }
  }

  return {
    async take(channel, message) {
      // Most repeats end here; those that come at the same moment end in the commit.
      const known = nameOf(channel, message);
      const since = now() - replayMs;
      if (await store.read((tx) => deliveries.isKnown(tx, known, since))) return { kind: "repeated" };
      const admitted = await admit(channel, message);
      if (admitted !== "admitted") return { kind: admitted };
      const turn = await toTurn(channel, message);
      return turn === undefined ? { kind: "refused" } : accept(channel, message, turn);
    },

    async decide(channel, { senderId, principal }, approvalId, approved, scope = "once") {
      // A button outlives an admission that was taken back.
      if (!(await parts.isAdmitted(channel, senderId))) return verdictText("not_yours", approvalId, approved);
      const by = { name: principal, scope: "chat" } as const;
      try {
        return verdictText(await approvals.decide(approvalId, by, { approved, scope }), approvalId, approved);
      } catch (error) {
        const { code, message } = publicError(error);
        // The store may listen again in a moment: the press is not lost, it can be repeated.
        if (code !== "bad_request" && code !== "forbidden") throw error;
        return message;
      }
    },
  };
}
