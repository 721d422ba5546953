import { anSms } from "../../../test/channels/a-twilio.ts";
import { aMessage } from "../../../test/channels/bot-api.ts";
import { mutateBytes, mutateJson } from "../mutate.ts";
import { askWrongly, type Surface } from "../surface.ts";
import { telegramSecret, webhookSecret } from "../target.ts";

const sign = (...parts: readonly (string | Uint8Array)[]) => {
  const hasher = new Bun.CryptoHasher("sha256", webhookSecret);
  for (const part of parts) hasher.update(part);
  return hasher.digest("hex");
};
const seconds = () => String(Math.floor(Date.now() / 1000));

interface Sender {
  readonly path: string;
  readonly type: string;
  readonly begun: () => string;
  readonly proof: (body: Uint8Array) => Record<string, string>;
}

const event = { a: { b: ["deploy"] }, action: "opened", number: 7, type: "event_callback", n: null };
const update = { update_id: 12, message: aMessage() };
const sms = anSms({ id: "SM1", from: "+15005550001", text: "hello" });

/** Those who may speak to us, and how they prove it. */
const senders: readonly Sender[] = [
  {
    path: "/telegram/inbound",
    type: "application/json",
    begun: () => JSON.stringify(update),
    proof: () => ({ "x-telegram-bot-api-secret-token": telegramSecret }),
  },
  {
    path: "/webhooks/github",
    type: "application/json",
    begun: () => JSON.stringify(event),
    proof: (body) => ({ "x-hub-signature-256": `sha256=${sign(body)}` }),
  },
  {
    path: "/webhooks/stripe",
    type: "application/json",
    begun: () => JSON.stringify(event),
    proof: (body) => {
      const at = seconds();
      return { "stripe-signature": `t=${at},v1=${sign(`${at}.`, body)}` };
    },
  },
  {
    path: "/webhooks/slack",
    type: "application/json",
    begun: () => JSON.stringify(event),
    proof: (body) => {
      const at = seconds();
      return { "x-slack-request-timestamp": at, "x-slack-signature": `v0=${sign(`v0:${at}:`, body)}` };
    },
  },
  {
    path: "/twilio/sms/inbound",
    type: "application/x-www-form-urlencoded",
    begun: () => String(sms.body),
    // Its proof covers the fields, so that a changed body has none: it has to be refused.
    proof: () => ({ "x-twilio-signature": new Headers(sms.headers).get("x-twilio-signature") ?? "" }),
  },
];

const unsigned = 0;

/** Bodies of webhooks, signed and not. The first byte chooses the sender, the second whether it proves itself. */
export const webhooks: Surface = {
  name: "webhooks",
  make(random) {
    const which = random.below(senders.length);
    const begun = senders[which]?.begun() ?? "";
    const isForm = senders[which]?.type !== "application/json";
    const body =
      isForm || random.chance(0.4)
        ? mutateBytes(Buffer.from(begun), random)
        : Buffer.from(JSON.stringify(mutateJson(JSON.parse(begun), random)));
    return Buffer.concat([Buffer.from([which, random.chance(0.15) ? unsigned : 1]), body]);
  },
  give(input, target) {
    const sender = senders[input[0] ?? 0];
    if (sender === undefined) return Promise.resolve(undefined);
    const body = Buffer.from(input.subarray(2));
    const proof = input[1] === unsigned ? {} : sender.proof(body);
    return askWrongly(target, sender.path, {
      method: "POST",
      headers: { "content-type": sender.type, ...proof },
      body,
    });
  },
};
