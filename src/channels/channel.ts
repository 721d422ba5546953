import type { Hono } from "hono";
import type { Tx } from "../store/tx.ts";
import type { SessionEvent } from "../turns/turns.ts";

/** Something that came with a message; its bytes are fetched when they are wanted, and at most `maxBytes` of them. */
export interface Attachment {
  readonly kind: "image" | "file";
  /** As the sender named it; not to be trusted as a path. */
  readonly name: string;
  readonly type?: string;
  /** Bytes of it, where the provider tells. */
  readonly size?: number;
  bytes(maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** A message that a channel has proved to be from its sender, and read. */
export interface Inbound {
  /** The provider's own id of the delivery: the same when it is repeated. */
  readonly deliveryId: string;
  readonly sender: { readonly id: string; readonly name?: string };
  /** Where answers go: a chat, a number, a thread; in the channel's own words, and kept with the turn. */
  readonly recipient: string;
  /** Begins with the channel's name, such as `telegram:4711`. */
  readonly sessionId: string;
  /** Who the session belongs to and who is asked for approvals: the channel and its sender, or the group. */
  readonly principal: string;
  readonly text: string;
  readonly attachments?: readonly Attachment[];
  /** What the channel writes in the commit of its turn; false undoes all of it: the message was taken before. */
  readonly also?: (tx: Tx) => Promise<boolean>;
}

/** What became of a message; all but `unavailable` (which is thrown) may be acknowledged to the provider. */
export type Taken =
  | { readonly kind: "accepted"; readonly turnId: string; readonly sessionId: string }
  | { readonly kind: "repeated" | "refused" | "asked_to_pair" };

/** Where channels hand in what they have proved. */
export interface Inbox {
  /**
   * Admits the sender or not, and stores the message and its turn in one commit, before which nothing may be
   * acknowledged. Throws `unavailable` or `busy` when it could not be stored: the provider is then to try again.
   */
  take(channel: Channel, message: Inbound): Promise<Taken>;
  /** Decides an approval for a sender who pressed a button, while that one is admitted; the text is for that person. */
  decide(
    channel: Channel,
    by: { readonly senderId: string; readonly principal: string },
    approvalId: string,
    approved: boolean,
    scope?: "once" | "session",
  ): Promise<string>;
}

/** One thing to send, as the outbox keeps it. */
export interface Piece {
  readonly kind: "text" | "photo" | "approval";
  /** The text; for a photo its address and for an approval the question. */
  readonly text: string;
  /** For an approval: its id. */
  readonly approvalId?: string;
}

/** A piece on its way: `key` is the same each time it is tried, for providers that take an idempotency key. */
export interface Sending {
  readonly key: string;
  readonly recipient: string;
  readonly piece: Piece;
  /** The provider's id of a preview that this piece is to replace. */
  readonly replaces?: string;
}

/** Why something could not be sent. `retryAfterMs` holds for the whole place (`placeOf`); `final`: it never will be. */
export class DeliveryError extends Error {
  readonly final: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: { final?: boolean; retryAfterMs?: number } = {}) {
    super(message);
    this.name = "DeliveryError";
    this.final = details.final ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What a person sees while an answer is made (typing, a growing preview). Never throws; what fails is left out. */
export interface Preview {
  event(event: SessionEvent): void;
  /** The provider's id of the message that shows the answer so far, when there is one. */
  readonly messageId: string | undefined;
  stop(): Promise<void>;
  /** Takes the message away: it came so late that the answer was sent beside it. */
  discard?(): Promise<void>;
}

/** One line of the channel's part of the doctor's report. */
export interface ChannelFinding {
  readonly state: "ok" | "warn" | "fail";
  readonly text: string;
}

/**
 * A way in and out. Adding one is one file that makes this, its rows of settings, and a line in `channels/index.ts`:
 * admission, storing, turns, the outbox and its order are the same for all.
 */
export interface Channel {
  /** First word of its session ids and principals: `telegram`, `sms`, `slack`. */
  readonly name: string;
  readonly policy: "open" | "pairing" | "closed";
  /** Ids of senders who are always admitted. */
  readonly allowedSenders: readonly string[];
  /** Its webhooks: each proves its sender itself, so that no token is asked for. */
  routes?(inbox: Inbox): Hono;
  /** What it does by itself (registers its webhook, polls); runs until the signal. */
  start?(inbox: Inbox, signal: AbortSignal): Promise<void>;
  /** Cuts an answer into what can be sent, without breaking a grapheme. */
  pieces(answer: string): readonly Piece[];
  /** What of a recipient the provider knows, and counts for: the chat without its topic and who asked. Else all of it. */
  placeOf?(recipient: string): string;
  /** Sends one piece; throws `DeliveryError`. Resolves with the provider's id of it. */
  send(sending: Sending, signal: AbortSignal): Promise<{ readonly id?: string }>;
  /** Shows that an answer is on its way. Its message is begun only when `isNext`: what was said to them before has arrived. */
  preview?(recipient: string, isNext: () => Promise<boolean>): Preview;
  /** Looks outside: is the token good, is the webhook registered. */
  check?(signal: AbortSignal): Promise<readonly ChannelFinding[]>;
}
