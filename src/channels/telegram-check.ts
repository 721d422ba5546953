import type { ChannelFinding } from "./channel.ts";
import { type TelegramApi, TelegramError } from "./telegram-api.ts";
import { hasAllWanted, type Webhook, webhookInfo, webhookUrl } from "./telegram-webhook.ts";

/** So many that wait say that nobody takes them. */
const manyPending = 100;
const recentMs = 60 * 60_000;

/** What Telegram says about the bot; `webhook` is absent when this server polls. */
export async function checkTelegram(
  api: TelegramApi,
  webhook: Webhook | undefined,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<readonly ChannelFinding[]> {
  try {
    const me = await api.me(signal);
    const found: ChannelFinding[] = [{ state: "ok", text: `The bot is @${me.username}.` }];
    const info = await webhookInfo(api, signal);
    const { pending_update_count: pending, last_error_message: fault, last_error_date } = info;
    if (webhook === undefined) {
      found.push(
        info.url === ""
          ? { state: "ok", text: "Messages are asked for (long polling)." }
          : { state: "warn", text: "A webhook is set though this server polls; polling takes it away." },
      );
    } else if (info.url !== webhookUrl(webhook) || !hasAllWanted(info.allowed_updates)) {
      const where = info.url === "" ? "nowhere" : new URL(info.url).host;
      found.push({
        state: "fail",
        text: `Telegram delivers to ${where} and not here: is OPENCLAW_PUBLIC_URL right, and its port 443, 80, 88 or 8443?`,
      });
    } else {
      found.push({ state: "ok", text: "The webhook is registered." });
    }
    if (fault !== undefined && now() - last_error_date * 1000 < recentMs)
      found.push({ state: "warn", text: `Telegram could not deliver lately: ${fault.slice(0, 200)}` });
    if (pending >= manyPending)
      found.push({ state: "warn", text: `${pending} messages wait at Telegram to be delivered.` });
    return found;
  } catch (error) {
    if (error instanceof TelegramError && (error.status === 401 || error.status === 404))
      return [
        { state: "fail", text: "Telegram does not know TELEGRAM_BOT_TOKEN: ask @BotFather for the token." },
      ];
    const text = error instanceof TelegramError ? error.message : "Telegram's answer could not be read.";
    return [{ state: "fail", text }];
  }
}
