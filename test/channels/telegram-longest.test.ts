import { expect, test } from "bun:test";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { memoryStore } from "../../src/store/open.ts";
import { until } from "../helpers/until.ts";
import { aMessage, botToken, startBotApi } from "./bot-api.ts";
import { recordingInbox } from "./telegram-inbox.ts";

async function polling(telegramApi: string) {
  const settings = {
    publicUrl: undefined,
    telegramToken: botToken,
    telegramSecret: undefined,
    telegramPolicy: "open",
    telegramSenders: [],
    telegramApi,
  } as const;
  const channel = await makeTelegram(settings, { store: await memoryStore() });
  return { channel, ...recordingInbox() };
}

/** 4,096 signs, a hundred of them emoji of somebody's own. */
const long = {
  text: "🦞".repeat(4096),
  entities: Array.from({ length: 100 }, (_, at) => ({
    offset: 2 * at,
    length: 2,
    type: "custom_emoji",
    custom_emoji_id: "5368324170671202286",
  })),
};

/** A long message in reply to another, as the Bot API writes it: beyond ASCII an escape of each UTF-16 unit. */
const longReply = (id: number) =>
  JSON.stringify({
    update_id: id,
    message: aMessage({ ...long, message_id: id, reply_to_message: aMessage(long) }),
  }).replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

test("polling takes a hundred long replies that waited", async () => {
  using api = startBotApi();
  const { channel, inbox, taken } = await polling(api.url);
  const waiting = Array.from({ length: 100 }, (_, at) => longReply(at + 1));
  const json = { headers: { "content-type": "application/json" } };
  const answer = () => new Response(`{"ok":true,"result":[${waiting.join(",")}]}`, json);
  api.script("getUpdates", answer, answer, answer);
  const controller = new AbortController();

  const started = channel?.start?.(inbox, controller.signal);
  await until("all were taken", () => taken.length === 100);

  controller.abort();
  await started;
});
