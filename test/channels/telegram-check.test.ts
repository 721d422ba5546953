import { expect, test } from "bun:test";
import { createTelegramApi } from "../../src/channels/telegram-api.ts";
import { checkTelegram } from "../../src/channels/telegram-check.ts";
import { webhookUrl } from "../../src/channels/telegram-webhook.ts";
import { botToken, refuse, startBotApi } from "./bot-api.ts";

const webhook = { publicUrl: "https://agent.test", secret: "s", mark: "abcdef12" };
const signal = AbortSignal.timeout(20_000);
const now = () => 1_000_000_000;
const states = (found: readonly { state: string }[]) => found.map(({ state }) => state);

test("checkTelegram says that all is well", async () => {
  using api = startBotApi();
  api.script("getWebhookInfo", () => ({
    url: webhookUrl(webhook),
    allowed_updates: ["message", "callback_query"],
    last_error_message: "old",
    last_error_date: 1,
  }));
  const found = await checkTelegram(createTelegramApi(api.url, botToken), webhook, signal, now);
  expect(found).toEqual([
    { state: "ok", text: "The bot is @ClawBot." },
    { state: "ok", text: "The webhook is registered." },
  ]);
});

test("checkTelegram says what Telegram cannot deliver, and what waits", async () => {
  using api = startBotApi();
  api.script("getWebhookInfo", () => ({
    url: "https://other.test/hook",
    pending_update_count: 100,
    last_error_message: "Wrong response from the webhook: 401 Unauthorized",
    last_error_date: 1_000_000,
  }));
  const found = await checkTelegram(createTelegramApi(api.url, botToken), webhook, signal, now);
  expect(states(found)).toEqual(["ok", "fail", "warn", "warn"]);
  expect(found[1]?.text).toContain("other.test");
});

test("checkTelegram says when the token is wrong, or nobody answers", async () => {
  using api = startBotApi();
  api.script("getMe", () => refuse(401, "Unauthorized"));
  const client = createTelegramApi(api.url, botToken);
  expect((await checkTelegram(client, undefined, signal, now))[0]?.text).toContain("TELEGRAM_BOT_TOKEN");
  expect(states(await checkTelegram(client, undefined, signal, now))).toEqual(["ok", "ok"]);
  const nobody = createTelegramApi("http://127.0.0.1:1", botToken);
  expect(await checkTelegram(nobody, undefined, signal, now)).toEqual([
    { state: "fail", text: "Telegram could not be reached." },
  ]);
});
