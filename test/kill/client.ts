import * as v from "valibot";
import type { Moments } from "./moments.ts";
import { answerOf, textOf } from "./script.ts";

const Envelope = v.looseObject({
  type: v.string(),
  inReplyToMessageId: v.optional(v.string()),
  code: v.optional(v.string()),
  text: v.optional(v.string()),
  turnId: v.optional(v.string()),
  approvalId: v.optional(v.string()),
});
type Envelope = v.InferOutput<typeof Envelope>;

/** Messages that may be on their way at once. */
const ahead = 3;

/** One session's client: says one message after the other, and after a lost connection again what has no end yet. */
export interface Talk {
  readonly session: string;
  /** How many messages were said; they are `0` to `said - 1`. */
  readonly said: number;
  /** The turn of each message. */
  readonly turns: ReadonlyMap<number, string>;
  /** What should not have been heard. */
  readonly problems: readonly string[];
  /** Says nothing new; resolves when everything that was said has its end. */
  finish(): Promise<void>;
}

export interface TalkOptions {
  readonly session: string;
  /** Where the server is now; asked again after each lost connection. */
  readonly server: () => Promise<string>;
  readonly moments: Moments;
}

export function startTalk({ session, server, moments }: TalkOptions): Talk {
  const turns = new Map<number, string>();
  const ended = new Set<number>();
  const problems: string[] = [];
  let said = 0;
  let finishing = false;

  const pending = () => Array.from({ length: said }, (_, n) => n).filter((n) => !ended.has(n));

  function accepted(n: number, turnId = "") {
    moments.tell("message accepted");
    const before = turns.get(n);
    if (before !== undefined && before !== turnId)
      problems.push(`message ${n} has the turns ${before}, ${turnId}`);
    turns.set(n, turnId);
  }

  /** Speaks over one connection until it is lost, or until all is said and answered. */
  async function connected(url: string): Promise<void> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["openclaw.v1"]);
    const { promise: over, resolve: close } = Promise.withResolvers<void>();
    /** What was heard of each turn's answer on this connection. */
    const texts = new Map<number, string>();
    const send = (envelope: object) => socket.send(JSON.stringify(envelope));

    function say(n: number) {
      send({ type: "user_message", sessionId: session, messageId: `${n}`, text: textOf(session, n) });
      moments.tell("message sent");
    }
    function goOn() {
      while (!finishing && pending().length < ahead) say(said++);
      if (finishing && pending().length === 0) socket.close();
    }
    function take(envelope: Envelope) {
      const { type, inReplyToMessageId, code, text = "", turnId, approvalId } = envelope;
      const n = Number(inReplyToMessageId);
      if (type === "accepted") accepted(n, turnId);
      else if (type === "assistant_chunk") texts.set(n, (texts.get(n) ?? "") + text);
      else if (type === "status" && code === "restarted") texts.delete(n);
      else if (type === "error") problems.push(`message ${n}: ${code} ${text}`);
      else if (type === "tool_approval_required") {
        moments.tell("approval asked");
        send({ type: "tool_approval_decision", approvalId, approved: true });
      } else if (type === "assistant_done") {
        if (texts.get(n) !== answerOf(session, n))
          problems.push(`message ${n} was answered by "${texts.get(n)}"`);
        ended.add(n);
        goOn();
      }
    }
    socket.onopen = () => {
      for (const n of pending()) say(n);
      goOn();
    };
    socket.onmessage = ({ data }) => take(v.parse(Envelope, JSON.parse(String(data))));
    socket.onerror = () => close();
    socket.onclose = () => close();
    await over;
  }

  async function talk() {
    while (!finishing || pending().length > 0) await connected(await server());
  }
  const talking = talk();

  return {
    session,
    get said() {
      return said;
    },
    turns,
    problems,
    async finish() {
      finishing = true;
      await talking;
    },
  };
}
