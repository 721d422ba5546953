import { createChannel } from "../agent/channel.ts";
import { AppError } from "../errors.ts";
import { endsTurn, type Listener, type SessionEvent } from "../turns/turns.ts";

/** Events of one turn that wait for a reader who pulls them one by one. */
export interface Inbox extends AsyncIterable<SessionEvent> {
  readonly listener: Listener;
  /** Ends it after what has come so far. */
  close(): void;
}

/** About what an event takes while it waits, in characters. */
export const sizeOf = ({ event }: SessionEvent) => 200 + ("text" in event ? event.text.length : 0);

/** Ends with the turn; fails with `unavailable` when more than about `mostBytes` wait, so that no slow reader fills the memory. */
export function createInbox(mostBytes: number): Inbox {
  const channel = createChannel<SessionEvent>();
  let waiting = 0;
  let open = true;
  const close = () => {
    open = false;
    channel.close();
  };
  return {
    listener(event) {
      if (!open) return;
      waiting += sizeOf(event);
      if (waiting > mostBytes) {
        open = false;
        return channel.fail(
          new AppError(
            "unavailable",
            "The answer was read too slowly. The turn goes on; ask again for its events.",
          ),
        );
      }
      channel.push(event);
      if (endsTurn(event.event)) close();
    },
    close,
    async *[Symbol.asyncIterator]() {
      try {
        for await (const event of channel) {
          waiting -= sizeOf(event);
          yield event;
        }
      } finally {
        // Nobody reads on: what still comes is dropped.
        open = false;
      }
    },
  };
}
