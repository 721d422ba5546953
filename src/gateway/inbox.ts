import { createChannel } from "../agent/channel.ts";
import { AppError, cancelled } from "../errors.ts";
import { endsTurn, type Listener, type SessionEvent } from "../turns/turns.ts";

/** Events of one turn that wait for a reader who pulls them one by one. */
export interface Inbox extends AsyncIterable<SessionEvent> {
  /** What is told again waits for the reader; what happens live does not. */
  readonly listener: Listener;
  /** Resolves when something has come. */
  readonly begun: Promise<void>;
  /** Ends it after what has come so far. */
  close(): void;
  /** The same, with an error. */
  fail(error: unknown): void;
}

/** About what an event takes while it waits, in characters. */
export const sizeOf = ({ event }: SessionEvent) => 200 + ("text" in event ? event.text.length : 0);

const tooSlow = () =>
  new AppError("unavailable", "The answer was read too slowly. The turn goes on; ask again for its events.");

/** Ends with the turn; fails with `unavailable` when more than about `mostBytes` wait, so that no slow reader fills the memory. */
export function createInbox(mostBytes: number): Inbox {
  const channel = createChannel<SessionEvent>();
  const begun = Promise.withResolvers<void>();
  /** Who reads a log for it waits here. The half that it leaves is for what happens live. */
  let room: PromiseWithResolvers<void> | undefined;
  let waiting = 0;
  let open = true;
  const hasRoom = () => waiting <= mostBytes / 2;
  const left = () => cancelled("Nobody reads this any more.");

  function shut() {
    open = false;
    room?.reject(left());
    room = undefined;
  }
  function close() {
    shut();
    channel.close();
  }
  function fail(error: unknown) {
    shut();
    channel.fail(error);
  }
  function hear(event: SessionEvent) {
    if (!open) return;
    // Asked before, so that one that is bigger than all that may wait can be told.
    if (waiting > mostBytes) return fail(tooSlow());
    waiting += sizeOf(event);
    channel.push(event);
    begun.resolve();
    if (endsTurn(event.event)) close();
  }
  function findRoom() {
    if (!open) return Promise.reject(left());
    return hasRoom() ? undefined : (room ??= Promise.withResolvers()).promise;
  }

  return {
    listener: Object.assign(hear, { room: findRoom }),
    begun: begun.promise,
    close,
    fail,
    async *[Symbol.asyncIterator]() {
      try {
        for await (const event of channel) {
          waiting -= sizeOf(event);
          if (hasRoom()) {
            room?.resolve();
            room = undefined;
          }
          yield event;
        }
      } finally {
        // Nobody reads on: what still comes is dropped.
        shut();
      }
    },
  };
}
