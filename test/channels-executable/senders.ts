import { createHmac } from "node:crypto";
import { anSms } from "../channels/a-twilio.ts";
import type { Moments } from "../kill/moments.ts";
import { anUpdate } from "./telegram-front.ts";

/** Somebody outside who says one thing after the other, and who hears the answers. */
export interface Sender {
  readonly recipient: string;
  readonly path: string;
  /** Its delivery number `n`: the same bytes each time. */
  delivery(n: number): RequestInit;
  /** What must be heard, in order, when so many were said. */
  expected(said: number): readonly string[];
}

const filler = "lorem ipsum dolor ".repeat(100);
/** Every fourth answer takes more than one SMS. */
const isLong = (n: number) => n % 4 === 3;

/** What the model says to a text with a mark in it, such as `s1-3`; undefined without one. */
export function answerTo(text: string): string | undefined {
  const [mark, n] = /[a-z]\d-(\d+)/.exec(text) ?? [];
  if (mark === undefined) return undefined;
  return isLong(Number(n)) ? `re ${mark}\n${filler}\nend ${mark}` : `re ${mark}`;
}

const numbers = (said: number) => Array.from({ length: said }, (_, n) => n);

const whole = (name: string) => (said: number) =>
  numbers(said).map((n) => (isLong(n) ? `re ${name}-${n} end ${name}-${n}` : `re ${name}-${n}`));
const inPieces = (name: string) => (said: number) =>
  numbers(said).flatMap((n) => (isLong(n) ? [`re ${name}-${n}`, `end ${name}-${n}`] : [`re ${name}-${n}`]));

const bySms = (name: string, from: string): Sender => ({
  recipient: from,
  path: "/twilio/sms/inbound",
  delivery: (n) => anSms({ id: `SM${name}${n}`, from, text: `${name}-${n}` }),
  expected: inPieces(name),
});

const byTelegram = (name: string, chat: number): Sender => ({
  recipient: String(chat),
  path: "/telegram/inbound",
  delivery: (n) => anUpdate({ id: chat * 10_000 + n, chat, text: `${name}-${n}` }),
  expected: whole(name),
});

const secret = "a-secret-of-webhooks";

/** A webhook as GitHub signs it. */
export const aPost = (body: string, key = secret): RequestInit => ({
  method: "POST",
  headers: {
    "content-type": "application/json",
    "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
  },
  body,
});

const byWebhook = (name: string, hook: string, recipient: string, expected: Sender["expected"]): Sender => ({
  recipient,
  path: `/webhooks/${hook}`,
  delivery: (n) => aPost(JSON.stringify({ event: `${name}-${n}` })),
  expected,
});

const hooks = {
  one: { prompt: "It said {event}", delivery: { channel: "telegram", recipient: "301" } },
  two: { prompt: "It said {event}", delivery: { channel: "sms", recipient: "+15005550302" } },
};

/** What turns the webhooks of `senders` on. */
export const webhookEnv = {
  OPENCLAW_WEBHOOKS: JSON.stringify(hooks),
  OPENCLAW_WEBHOOKS_ONE_SECRET: secret,
  OPENCLAW_WEBHOOKS_TWO_SECRET: secret,
};

export const senders: readonly Sender[] = [
  byTelegram("t1", 101),
  byTelegram("t2", 102),
  bySms("s1", "+15005550101"),
  bySms("s2", "+15005550102"),
  byWebhook("w1", "one", "301", whole("w1")),
  byWebhook("w2", "two", "+15005550302", inPieces("w2")),
];

/** As providers do, and people who are told to: again until it was taken, and now and then once more. Tells how often it came in vain. */
export async function deliver(
  { path, delivery }: Sender,
  n: number,
  { url, moments }: { url: () => string; moments: Moments },
): Promise<number> {
  for (let tries = 0; ; tries++) {
    moments.tell("delivery made");
    const answer = await fetch(url() + path, delivery(n)).catch(() => undefined);
    const said = await answer?.text().catch(() => "");
    if (answer?.ok !== true || said?.includes("Server is busy") !== false) {
      await Bun.sleep(5);
      continue;
    }
    moments.tell("delivery taken");
    if (Math.random() < 0.2) await fetch(url() + path, delivery(n)).catch(() => undefined);
    return tries;
  }
}
