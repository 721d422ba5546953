import * as v from "valibot";

const Unsent = v.object({ sessionId: v.string(), messageId: v.string(), text: v.string() });
export type Unsent = v.InferOutput<typeof Unsent>;

/** Messages that the server has not accepted yet; they outlive a reload of the page, in this tab alone. */
export interface Outbox {
  of(sessionId: string): readonly Unsent[];
  add(message: Unsent): void;
  remove(messageId: string): void;
}

const name = "openclaw.outbox";

type Kept = Pick<Storage, "getItem" | "setItem">;

export function createOutbox(storage: Kept): Outbox {
  let messages = read(storage);
  const keep = (next: readonly Unsent[]) => {
    messages = next;
    write(storage, next);
  };
  return {
    of: (sessionId) => messages.filter((message) => message.sessionId === sessionId),
    add: (message) => keep([...messages, message]),
    remove: (messageId) => keep(messages.filter((message) => message.messageId !== messageId)),
  };
}

function read(storage: Kept): readonly Unsent[] {
  try {
    return v.parse(v.array(Unsent), JSON.parse(storage.getItem(name) ?? "[]"));
  } catch {
    return [];
  }
}

function write(storage: Kept, messages: readonly Unsent[]) {
  try {
    storage.setItem(name, JSON.stringify(messages));
  } catch {
    // A full or forbidden storage only means that a reload forgets what was not sent.
  }
}
