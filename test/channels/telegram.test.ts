import { expect, test } from "bun:test";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { memoryStore } from "../../src/store/open.ts";
import { recordingInbox } from "./telegram-inbox.ts";
import { startTelegramServer } from "./telegram-test-api.ts";

const token = "12345:a-token-of-the-test-api";

/** A bot at a Bot API that nobody here wrote. */
async function start() {
  const server = await startTelegramServer();
  const recorded = recordingInbox();
  const channel = await makeTelegram(
    {
      publicUrl: undefined,
      telegramToken: token,
      telegramSecret: undefined,
      telegramPolicy: "open",
      telegramSenders: [],
      telegramApi: server.config.apiURL,
    },
    {
      store: await memoryStore(),
      pollPace: { idleMs: 10, firstWaitMs: 5, longestWaitMs: 20, longestBusyMs: 20, othersMs: 5 },
    },
  );
  if (channel === undefined) throw new Error("Expected a channel.");
  const controller = new AbortController();
  const started = channel.start?.(recorded.inbox, controller.signal);
  return {
    ...recorded,
    channel,
    client: server.getClient(token, { userId: 7, chatId: 7, firstName: "Ada", interval: 10, timeout: 5000 }),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await started;
      await server.stop();
    },
  };
}

const signal = AbortSignal.timeout(20_000);

test("makeTelegram takes what people write through telegram-test-api, and what it sends arrives there", async () => {
  await using bot = await start();
  await bot.client.sendMessage(bot.client.makeMessage("Hello"));
  await bot.client.sendCommand(bot.client.makeCommand("/status"));
  await bot.took(2);
  expect(bot.taken.map(({ text }) => text)).toEqual(["Hello", "/status"]);
  const [{ recipient = "" } = {}] = bot.taken;

  const [piece] = bot.channel.pieces("**Hi** Ada");
  if (piece === undefined) throw new Error("Expected a piece.");
  const { id } = await bot.channel.send({ key: "k", recipient, piece }, signal);
  const { result } = await bot.client.getUpdates();
  expect(result).toMatchObject([{ message: { text: "<b>Hi</b> Ada", parse_mode: "HTML" } }]);
  expect(String(result[0]?.messageId)).toBe(String(id));

  const replaces = id ?? "";
  await bot.channel.send({ key: "l", recipient, piece: { kind: "text", text: "Bye" }, replaces }, signal);
  const history = await bot.client.getUpdatesHistory();
  expect(history.map((stored) => ("message" in stored ? stored.message : {}))).toContainEqual(
    expect.objectContaining({ text: "Bye" }),
  );
});

test("makeTelegram takes the press of a button through telegram-test-api", async () => {
  await using bot = await start();
  const piece = { kind: "approval", text: "Run it?", approvalId: "apr_0123456789abcdef" } as const;
  await bot.channel.send({ key: "k", recipient: "7", piece }, signal);
  const { result } = await bot.client.getUpdates();
  const sent = result[0]?.message as {
    reply_markup: { inline_keyboard: { callback_data: string }[][] };
  };
  const data = sent.reply_markup.inline_keyboard[0]?.[1]?.callback_data ?? "";
  await bot.client.sendCallback(
    bot.client.makeCallbackQuery(data, { message: { message_id: result[0]?.messageId } } as object),
  );
  await bot.client.sendMessage(bot.client.makeMessage("behind it"));
  await bot.took(1);
  expect(bot.decisions).toEqual([["telegram:7", piece.approvalId, false, "once"]]);
});
