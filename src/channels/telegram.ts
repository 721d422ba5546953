import type { Channel } from "./channel.ts";
import type { TelegramParts, TelegramSettings } from "./telegram-channel.ts";

/** Telegram, when its bot's token is set; nothing of it is loaded without. */
export async function makeTelegram(
  settings: Omit<TelegramSettings, "telegramToken"> & { readonly telegramToken: string | undefined },
  parts: TelegramParts,
): Promise<Channel | undefined> {
  const { telegramToken } = settings;
  if (telegramToken === undefined) return undefined;
  const { createTelegram } = await import("./telegram-channel.ts");
  return createTelegram({ ...settings, telegramToken }, parts);
}
