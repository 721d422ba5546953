import type { Delivery, Principal, TurnEvent, TurnRequest } from "../agent/turn.ts";
import type { ErrorCode } from "../errors.ts";
import type { Tx } from "../store/tx.ts";

/** A message for a kept session, as a door hands it in. */
export interface NewTurn {
  readonly sessionId: string;
  readonly principal: Principal;
  readonly channel: string;
  readonly text: string;
  /** OpenAI content parts when the message is more than text; `text` then is the text in them. */
  readonly content?: readonly object[];
  /** Results of the client's own tools, which come before the text; the text may then be empty. */
  readonly results?: readonly { readonly callId: string; readonly content: string }[];
  readonly request: TurnRequest;
  /** The client's own id of the message: one seen before in this session is not run again. */
  readonly messageId?: string;
  /** One seen before with another message is refused (`key_reused`), and not answered as if it were that one. */
  readonly refuseOther?: true;
  /** Where its answer is sent, whoever listens. */
  readonly delivery?: Delivery;
  /** `traceparent` of who asks. */
  readonly trace?: string | undefined;
}

export interface Accepted {
  readonly turnId: string;
  readonly sessionId: string;
  /** Where the session's log stood: the events of the turn follow it. */
  readonly cursor: string;
  /** True when `messageId` was seen before: nothing is run, its events are told again. */
  readonly repeated: boolean;
  /** True when that turn was over by then. */
  readonly ended: boolean;
  /** Where a repeat is told behind `accept`: resolves when it is told, as far as its turn has come. */
  readonly told?: Promise<void>;
}

type WithoutEntry<Event> = Event extends { readonly message: unknown } ? Omit<Event, "message"> : Event;

/** What stands in a session's log: the events of its turns, without the entries that the tree keeps. */
export type LoggedEvent =
  | WithoutEntry<Exclude<TurnEvent, { type: "message" }>>
  | { readonly type: "started" }
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs?: number;
    };

export interface SessionEvent {
  readonly sessionId: string;
  readonly turnId: string;
  /** The client's id of the message that began the turn. */
  readonly messageId?: string;
  /** Where a client that saw this event may go on. */
  readonly cursor: string;
  readonly event: LoggedEvent;
}

/** Called once for each event, in order, never after its `Unsubscribe`; must not throw and must not wait. */
export interface Listener {
  (event: SessionEvent): void;
  /**
   * Where its reader may be slow: asked between the events of a log that is read again, which goes on when this
   * resolves, so that nothing piles up. Undefined when there is room; what it rejects with ends the reading.
   */
  readonly room?: (() => Promise<void> | undefined) | undefined;
}
export type Unsubscribe = () => void;

/** True for the event that ends a turn. */
export const endsTurn = (event: LoggedEvent) =>
  event.type === "done" || event.type === "notice" || event.type === "failed";

/** The life of the turns of kept sessions. */
export interface Turns {
  /**
   * Commits the message and its turn, then sees to it that the turn runs, whoever listens. `listener` hears the
   * events of this turn (all of them again when it is a repeat: before this resolves, or behind it to a listener that
   * has `room`). Throws `not_found` for a session of somebody else, `busy` when the queues are full or the server
   * drains, `unavailable` when it could not be stored. `also` writes in the same commit, unless it is a repeat; what it
   * throws undoes all of it.
   */
  accept(turn: NewTurn, listener?: Listener, also?: (tx: Tx) => Promise<void>): Promise<Accepted>;
  /** Ends a turn that waits or runs; false when there is none of that id or it has ended. */
  cancel(turnId: string): Promise<boolean>;
  /** The turn of the session that runs, in whichever process, or else waits first. */
  current(sessionId: string): Promise<string | undefined>;
  /** Tells what follows `after` in the session's log (absent: from now on), then goes on live, until unsubscribed. Throws `bad_request` for a cursor that is none. */
  follow(sessionId: string, after: string | undefined, listener: Listener): Promise<Unsubscribe>;
  /** Goes on with the turns that an earlier process left, once `after` has resolved. New messages wait for it. */
  recover(after?: Promise<unknown>): Promise<void>;
  /** Takes no more turns, waits for the running ones, and leaves the rest `interrupted`. */
  drain(ms: number): Promise<void>;
  /** Turns that run, and turns that wait. */
  load(): { running: number; waiting: number };
}
