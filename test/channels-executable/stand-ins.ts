import { startTwilio } from "../channels/a-twilio.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { createMoments } from "../kill/moments.ts";
import { recordArrivals } from "./arrivals.ts";
import { answerTo, webhookEnv } from "./senders.ts";
import { heardOut, type Refusal, startTelegram } from "./telegram-front.ts";
import { jobEnv } from "./ticking-jobs.ts";

/** All that is outside of a server under kills; the providers take their time and refuse now and then. */
export async function startStandIns({ hangs }: { readonly hangs: boolean }) {
  const arrivals = recordArrivals();
  const moments = createMoments();
  const arrived = (recipient: string, text: string, before?: string) => {
    arrivals.arrived(recipient, text, before);
    moments.tell("answer arrived");
  };
  let mayHang = hangs;
  const refuse = (count: number): Refusal => {
    if (mayHang && count % 40 === 0) return "hang";
    if (count % 25 === 0) return { status: 500 };
    return count % 9 === 0 ? { status: 429, retryAfter: 0 } : undefined;
  };
  const telegram = await startTelegram({ arrived, refuse, slowMs: 30 });
  const twilio = startTwilio({ arrived, refuse: (count) => count % 11 === 0, slowMs: 30 });
  const model = scriptedModel(
    ({ messages }) => {
      const said = messages.filter(({ role }) => role === "user").map(({ content }) => String(content));
      return { text: answerTo(said.at(-1) ?? "") ?? `tick ${said.length}` };
    },
    { keep: 10 },
  );
  return {
    arrivals,
    moments,
    /** Resolves when all has arrived that was sent before, also by a server that was killed. */
    heardOut: () => Promise.all([telegram.heardOut(), heardOut(twilio.url)]),
    /** Whoever hangs would be waited for at the end. */
    hangNoMore: () => void (mayHang = false),
    env: {
      ...twilio.env,
      ...telegram.env,
      ...webhookEnv,
      ...jobEnv,
      // Those outside do not read that they are to say it again.
      OPENCLAW_MAX_WAITING_PER_SESSION: "1000",
      OPENCLAW_SMS_DM_POLICY: "open",
      OPENCLAW_TELEGRAM_DM_POLICY: "open",
      MODEL_PROVIDER_ENDPOINT: model.url,
      MODEL_PROVIDER_MODEL: "scripted",
    },
    async [Symbol.asyncDispose]() {
      for (const each of [model, twilio, telegram]) await each[Symbol.asyncDispose]();
    },
  };
}
