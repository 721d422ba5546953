import { anSms } from "../../test/channels/a-twilio.ts";
import { aMessage } from "../../test/channels/bot-api.ts";
import type { Accepted, Load } from "./load.ts";
import { machineRecipient, saying, telegramSecret, webhookSecret } from "./stand-ins.ts";

const retryMs = 50;
const json = { "content-type": "application/json" };

type Delivery = NonNullable<Accepted["delivery"]>;
interface Sender {
  readonly name: string;
  readonly session: string;
  readonly delivery: Delivery;
  request(id: string, n: number): { path: string; init: RequestInit };
}

const smsFrom = (from: string): Sender => ({
  name: `sms${from.slice(-1)}`,
  session: `sms:${from.slice(1)}`,
  delivery: { channel: "sms", recipient: from },
  request: (id) => ({
    path: "/twilio/sms/inbound",
    init: anSms({ id: `SM${id}`, from, text: saying(id, "use") }),
  }),
});

const telegramChat = 7;
const telegram: Sender = {
  name: "telegram",
  session: `telegram:${telegramChat}`,
  delivery: { channel: "telegram", recipient: String(telegramChat) },
  request: (id, n) => ({
    path: "/telegram/inbound",
    init: {
      method: "POST",
      headers: { ...json, "x-telegram-bot-api-secret-token": telegramSecret },
      body: JSON.stringify({ update_id: n + 1, message: aMessage({ message_id: n + 1, text: saying(id) }) }),
    },
  }),
};

const webhook: Sender = {
  name: "webhook",
  session: "webhook:soak",
  delivery: { channel: "sms", recipient: machineRecipient },
  request(id) {
    const body = JSON.stringify({ said: saying(id) });
    const signature = new Bun.CryptoHasher("sha256", webhookSecret).update(body).digest("hex");
    return {
      path: "/webhooks/soak",
      init: { method: "POST", headers: { ...json, "x-hub-signature-256": `sha256=${signature}` }, body },
    };
  },
};

export const senders: readonly Sender[] = [
  smsFrom("+15005550001"),
  smsFrom("+15005550002"),
  telegram,
  webhook,
];

/** Delivers as those do who speak to us: again until they are told that it was taken. */
export async function deliverAsMachine({ house, book, random, goesOn }: Load, sender: Sender): Promise<void> {
  const { name, session, delivery, request } = sender;
  for (let n = 0; goesOn(); n++) {
    const id = `${name}-${n}`;
    const { path, init } = request(id, n);
    for (;;) {
      const answer = await house.ask(path, undefined, init);
      if (answer !== undefined && answer.status < 300) break;
      await Bun.sleep(retryMs);
    }
    book.accepted.set(id, { id, door: name, session, delivery });
    await Bun.sleep(200 + random.below(300));
  }
}

export const jobName = "soak-job";

/** A job that runs every two seconds and tells it by SMS. */
export const makeJob = ({ house }: Load) =>
  house.ask("/api/jobs", {
    name: jobName,
    schedule: "*/2 * * * * *",
    prompt: saying(jobName, "use"),
    session: "fresh",
    overlap: "queue",
    catchUp: "all",
    delivery: { channel: "sms", recipient: machineRecipient },
  });
