import { expect, test } from "bun:test";
import { join } from "node:path";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { recordArrivals } from "./arrivals.ts";
import { answerTo } from "./senders.ts";
import { startTelegram } from "./telegram-front.ts";

const kills = runs(3, 20);
const perKill = 3;
const chats = [101, 102];

test(
  `${kills} SIGKILLs while Telegram is polled: each message is answered, in order, and twice only where a kill fell between sending and noting`,
  async () => {
    await using folder = await temporaryFolder();
    const arrivals = recordArrivals();
    await using telegram = await startTelegram({ arrived: arrivals.arrived, slowMs: 30 });
    await using model = scriptedModel(({ messages }) => ({
      text: answerTo(String(messages.at(-1)?.content)) ?? "What?",
    }));
    const start = () =>
      startExecutable({
        ...telegram.env,
        OPENCLAW_TELEGRAM_DM_POLICY: "open",
        OPENCLAW_MAX_WAITING_PER_SESSION: "1000",
        OPENCLAW_DATA_DIR: join(folder.path, "data"),
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_MODEL: "scripted",
      });
    let server = await start();
    try {
      const said = chats.map((_, at) => (n: number) => `t${at}-${n}`);
      for (let killed = 0; killed < kills; killed++) {
        const life = Bun.sleep(Math.random() * 300);
        for (let n = killed * perKill; n < (killed + 1) * perKill; n++)
          for (const [at, chat] of chats.entries()) {
            const person = telegram.client(chat);
            await person.sendMessage(person.makeMessage(said[at]?.(n) ?? ""));
          }
        await life;
        await server.stop("SIGKILL");
        await telegram.heardOut();
        arrivals.died();
        await server[Symbol.asyncDispose]();
        server = await start();
      }
      const count = kills * perKill;
      const isDone = () => chats.every((chat) => arrivals.heardBy(`${chat}`).length >= count);
      for (const deadline = performance.now() + 60_000; !isDone() && performance.now() < deadline;)
        await Bun.sleep(10);
      expect(await server.stop()).toBe(0);
      for (const [at, chat] of chats.entries())
        expect(arrivals.heardBy(`${chat}`)).toEqual(
          Array.from({ length: count }, (_, n) => {
            const mark = said[at]?.(n);
            return n % 4 === 3 ? `re ${mark} end ${mark}` : `re ${mark}`;
          }),
        );
      const { explained, unexplained } = arrivals.doubles();
      expect(unexplained).toEqual([]);
      console.log(`${arrivals.total()} messages sent, ${explained} of them twice, by ${kills} kills`);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
  kills * 10_000 + 90_000,
);
