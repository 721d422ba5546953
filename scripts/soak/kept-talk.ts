import * as v from "valibot";
import { type Load, perSession, words } from "./load.ts";
import { operatorToken, saying } from "./stand-ins.ts";

const Envelope = v.looseObject({
  type: v.string(),
  inReplyToMessageId: v.optional(v.string()),
  turnId: v.optional(v.string()),
});
const ahead = 2;
const retryMs = 300;

/** Says one message after the other on `/ws`, and after a lost connection again what has no end yet. */
export async function talkOnSocket({ house, book, random, goesOn }: Load, name: string): Promise<void> {
  const pending = new Map<string, { session: string; text: string }>();
  let said = 0;

  async function connected(): Promise<void> {
    const url = await house.url();
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, [
      "openclaw.v1",
      `bearer.${operatorToken}`,
    ]);
    const { promise: over, resolve: close } = Promise.withResolvers<void>();
    const send = (id: string, { session, text }: { session: string; text: string }) =>
      socket.send(JSON.stringify({ type: "user_message", sessionId: session, messageId: id, text }));
    const goOn = () => {
      while (goesOn() && pending.size < ahead) {
        const id = `${name}-${said++}`;
        const message = {
          session: `${name}-${Math.floor(said / perSession)}`,
          text: saying(id, random.pick(words)),
        };
        pending.set(id, message);
        send(id, message);
      }
      if (!goesOn() && pending.size === 0) socket.close();
    };
    socket.onopen = () => {
      for (const [id, message] of pending) send(id, message);
      goOn();
    };
    socket.onmessage = ({ data }) => {
      const { type, inReplyToMessageId: id = "", turnId } = v.parse(Envelope, JSON.parse(String(data)));
      const message = pending.get(id);
      if (message === undefined) return;
      if (type === "accepted" && turnId !== undefined) {
        const before = book.accepted.get(id)?.turn ?? turnId;
        if (before !== turnId) book.problems.push(`${id} has the turns ${before} and ${turnId}`);
        book.accepted.set(id, { id, door: "ws", session: message.session, turn: turnId });
      }
      if (type !== "typing_stop") return;
      // One that was never accepted was refused: it is said again.
      if (book.accepted.has(id)) pending.delete(id);
      else setTimeout(() => socket.readyState === WebSocket.OPEN && send(id, message), retryMs);
      setTimeout(goOn, random.below(30));
    };
    const ticking = setInterval(() => {
      if (!goesOn() && pending.size === 0) socket.close();
    }, 200);
    socket.onclose = () => close();
    socket.onerror = () => close();
    await over;
    clearInterval(ticking);
  }

  while (goesOn() || pending.size > 0) {
    await connected().catch(() => undefined);
    await Bun.sleep(50);
  }
}

const Sent = v.object({ turn: v.string() });
const State = v.looseObject({ state: v.string() });

/** Sends by the operation, asks until the turn has ended, and then sends the next. */
export async function talkByOperation({ house, book, random, goesOn }: Load, name: string): Promise<void> {
  for (let said = 0; goesOn(); said++) {
    const id = `${name}-${said}`;
    const session = `${name}-${Math.floor(said / perSession)}`;
    const body = { text: saying(id, random.pick(words)), messageId: id };
    let turn: string | undefined;
    while (turn === undefined) {
      const answer = await house.ask(`/api/sessions/${session}/messages`, body);
      if (answer?.status === 200) turn = v.parse(Sent, JSON.parse(answer.text)).turn;
      else await Bun.sleep(retryMs);
    }
    book.accepted.set(id, { id, door: "operation", session, turn });
    for (;;) {
      const answer = await house.ask(`/api/turns/${turn}`);
      const state = answer?.status === 200 ? v.parse(State, JSON.parse(answer.text)).state : "unknown";
      if (["done", "failed", "cancelled"].includes(state)) break;
      await Bun.sleep(30 + random.below(50));
    }
  }
}
