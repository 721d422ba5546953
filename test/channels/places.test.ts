import { afterEach, expect, test } from "bun:test";
import type { Channel } from "../../src/channels/channel.ts";
import { createDeliveries } from "../../src/channels/deliver.ts";
import { createOutbox } from "../../src/channels/outbox.ts";
import { makeSlack } from "../../src/channels/slack.ts";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as lines from "../../src/store/outbox-lines.ts";
import { ofTurn } from "../../src/store/outbox.ts";
import { until } from "../helpers/until.ts";
import { botToken, refuse, startBotApi } from "./bot-api.ts";
import { noChannels, standIn } from "./provider.ts";

const hourMs = 3_600_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** The outbox of one channel; `now` is moved by the test. */
async function sends(channel: Channel | undefined) {
  if (channel === undefined) throw new Error("The channel is off.");
  const store = await memoryStore();
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const channels = new Map([[channel.name, channel]]);
  const outbox = createOutbox({ store, channels, giveUpMs: 24 * hourMs, alone: true, now });
  const deliveries = createDeliveries(channels, { committed: outbox.wake, now });
  stops.push(() => outbox.stop(1000));
  await outbox.start();
  return {
    clock,
    outbox,
    async say(recipient: string) {
      const said = { turnId: recipient, kind: "answer", text: `For ${recipient}` } as const;
      await store.write((tx) =>
        deliveries.write(tx, { ...said, delivery: { channel: channel.name, recipient } }),
      );
      deliveries.committed();
    },
    waits: (recipient: string) =>
      until(`${recipient} waits`, () =>
        store.read(async (tx) => {
          const due = await lines.due(tx, channel.name, now(), 10);
          return due.length === 0 && (await ofTurn(tx, recipient))[0]?.state === "pending";
        }),
      ),
  };
}

/** Two ask in one place, which wants to be left alone for an hour; somebody asks elsewhere. */
async function askInOnePlace(
  { clock, outbox, say, waits }: Awaited<ReturnType<typeof sends>>,
  [ada, bob, elsewhere]: readonly [string, string, string],
  written: () => readonly string[],
) {
  await say(ada);
  await waits(ada);
  await say(bob);
  await waits(bob);
  await say(elsewhere);
  await until("others are written to", () => written().includes(`For ${elsewhere}`));
  expect(written()).toEqual([`For ${ada}`, `For ${elsewhere}`]);

  clock.now += hourMs;
  outbox.wake();
  await until("all were written to", () => written().length === 4);
  expect(written().slice(2).toSorted()).toEqual([`For ${ada}`, `For ${bob}`]);
}

test("createOutbox leaves a Telegram group alone as long as it asks, whoever asked there and in whatever topic", async () => {
  const api = startBotApi();
  stops.push(() => api[Symbol.dispose]());
  api.script("sendMessage", () => refuse(429, "Too Many Requests", { retry_after: 3600 }));
  const store = await memoryStore();
  const telegram = {
    telegramToken: botToken,
    telegramSecret: undefined,
    telegramPolicy: "open",
    telegramSenders: [],
    telegramApi: api.url,
  } as const;
  const channel = await makeTelegram({ ...noChannels, ...telegram }, { store });
  const written = () => api.of("sendMessage").map(({ body }) => String(body.text));

  await askInOnePlace(await sends(channel), ["-1001234#1", "-1001234/7#2", "-1001235#1"], written);
});

test("createOutbox leaves a Slack channel alone as long as it asks, whatever thread of it is answered", async () => {
  const provider = standIn((_, index) =>
    index === 0
      ? Response.json(
          { ok: false, error: "ratelimited" },
          { status: 429, headers: { "retry-after": "3600" } },
        )
      : Response.json({ ok: true, ts: "5.5" }),
  );
  stops.push(() => provider[Symbol.asyncDispose]());
  const slack = { slackToken: "xoxb", slackSecret: "secret", slackApi: provider.url };
  const channel = await makeSlack({ ...noChannels, ...slack }, { store: await memoryStore() });
  const written = () => provider.seen.map(({ body }) => String(JSON.parse(body).text));

  await askInOnePlace(await sends(channel), ["C1/1.2#U1", "C1/3.4#U2", "C2/1.2#U1"], written);
});
