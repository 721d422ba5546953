import { expect, test } from "bun:test";
import { join } from "node:path";
import { anSms, startTwilio } from "../channels/a-twilio.ts";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const kills = runs(4, 50);
const senders = ["+15005550001", "+15005550002", "+15005550003"];
/** Of one sender between two kills. */
const perKill = 2;
const longestLifeMs = 250;

test(
  `${kills} SIGKILLs while SMS come in: each is answered, in order for each sender, and twice only where a kill fell between sending and noting`,
  async () => {
    await using folder = await temporaryFolder();
    await using twilio = startTwilio({ slowMs: 30 });
    await using model = scriptedModel((body) => ({ text: `re ${String(body.messages.at(-1)?.content)}` }));
    const env = {
      ...twilio.env,
      OPENCLAW_SMS_DM_POLICY: "open",
      OPENCLAW_DATA_DIR: join(folder.path, "data"),
      MODEL_PROVIDER_ENDPOINT: model.url,
      MODEL_PROVIDER_MODEL: "scripted",
    };
    const start = () => startExecutable(env);
    let server: RunningExecutable = await start();

    /** As Twilio does: again until it is told that it was taken. */
    async function deliver(from: string, text: string) {
      const init = anSms({ id: `SM${from}${text}`, from, text });
      for (;;) {
        const answer = await fetch(`${server.url}/twilio/sms/inbound`, init).catch(() => undefined);
        await answer?.text().catch(() => "");
        if (answer?.status === 200) return;
        await Bun.sleep(5);
      }
    }

    const said = senders.map((from) => ({
      from,
      texts: Array.from({ length: kills * perKill }, (_, n) => `${from.at(-1)}-${n}`),
    }));
    let delivered = 0;
    const all = Promise.all(
      said.map(async ({ from, texts }) => {
        for (const [n, text] of texts.entries()) {
          // So that messages come in all along, and not before the first kill.
          while (n >= (delivered + 1) * perKill) await Bun.sleep(2);
          await deliver(from, text);
        }
      }),
    );
    for (; delivered < kills; delivered++) {
      await Bun.sleep(Math.random() * longestLifeMs);
      const killed = server;
      await killed.stop("SIGKILL");
      server = await start();
      await killed[Symbol.asyncDispose]();
    }
    await all;

    const answers = (to: string) => twilio.sent.filter((each) => each.to === to).map(({ body }) => body);
    const firsts = (to: string) => [...new Set(answers(to))];
    while (senders.some((from) => firsts(from).length < kills * perKill)) await Bun.sleep(5);
    expect(await server.stop()).toBe(0);
    await server[Symbol.asyncDispose]();

    for (const { from, texts } of said) expect(firsts(from)).toEqual(texts.map((text) => `re ${text}`));
    const doubles = twilio.sent.length - senders.length * kills * perKill;
    console.log(`${twilio.sent.length} messages sent, ${doubles} of them twice, by ${kills} kills`);
    // Each kill can fall behind one sending to each recipient.
    expect(doubles).toBeLessThanOrEqual(kills * senders.length);
  },
  kills * 10_000 + 30_000,
);
