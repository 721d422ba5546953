import type { Command } from "../agent/commands.ts";
import type { Store } from "../store/open.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { hideSecrets } from "../telemetry/mask.ts";
import type { Channel, Inbox, Preview } from "./channel.ts";
import { createOnlyOne } from "./only-one.ts";
import { createTelegramApi, type TelegramApi } from "./telegram-api.ts";
import { checkTelegram } from "./telegram-check.ts";
import { createIntake } from "./telegram-intake.ts";
import { telegramPieces } from "./telegram-pieces.ts";
import { pollLeaseMs, type PollPace, pollTelegram } from "./telegram-poll.ts";
import { type PreviewPace, showTelegramPreview } from "./telegram-preview.ts";
import { findRecipient } from "./telegram-recipient.ts";
import { buttonKey, deriveSecret, secretMark } from "./telegram-secret.ts";
import { createTelegramSender } from "./telegram-send.ts";
import { keepWebhook, telegramRoutes } from "./telegram-webhook.ts";

/** The settings of the group `channels` that are Telegram's, once there is a token. */
export interface TelegramSettings {
  readonly publicUrl: string | undefined;
  readonly telegramToken: string;
  readonly telegramSecret: string | undefined;
  readonly telegramPolicy: Channel["policy"];
  readonly telegramSenders: readonly string[];
  readonly telegramApi: string;
}

export interface TelegramParts {
  readonly store: Pick<Store, "read" | "write">;
  readonly commands?: () => readonly Pick<Command, "name" | "doc">[];
  readonly now?: () => number;
  /** Handed in by tests. */
  readonly pollPace?: PollPace;
  readonly previewPace?: PreviewPace;
}

const mostCommands = 100;

const noPreview: Preview = { event: () => {}, messageId: undefined, stop: async () => {} };

/** Shows people the slash commands; without that they work just as well. */
async function registerCommands(api: TelegramApi, parts: TelegramParts, signal: AbortSignal): Promise<void> {
  const commands = (parts.commands?.() ?? [])
    .filter(({ name }) => /^[a-z0-9_]{1,32}$/.test(name))
    .slice(0, mostCommands)
    .map(({ name, doc }) => ({ command: name, description: doc.slice(0, 256).toWellFormed() || name }));
  if (commands.length === 0) return;
  await api
    .call("setMyCommands", { commands }, signal)
    .catch((error) => signal.aborted || log.warn("Telegram does not show the slash commands", { error }));
}

/**
 * Telegram: by webhook when this server has an https address, else by polling; never both.
 * Each chat is a session, and each topic of one; a group's session belongs to the group.
 */
export function createTelegram(settings: TelegramSettings, parts: TelegramParts): Channel {
  const { telegramToken: token, publicUrl, telegramSenders, telegramPolicy } = settings;
  const secret = settings.telegramSecret ?? deriveSecret(token);
  const key = buttonKey(token);
  hideSecrets([secret, key]);
  const api = createTelegramApi(settings.telegramApi, token);
  const { send } = createTelegramSender(api, key);
  const webhook =
    publicUrl !== undefined && /^https:/i.test(publicUrl)
      ? { publicUrl, secret, mark: secretMark(token, secret) }
      : undefined;
  const never = new AbortController().signal;
  const intake = (inbox: Inbox, signal: AbortSignal) => createIntake({ channel, inbox, api, key, signal });

  const channel: Channel = {
    name: "telegram",
    policy: telegramPolicy,
    allowedSenders: telegramSenders,
    ...(webhook !== undefined && { routes: (inbox) => telegramRoutes(secret, intake(inbox, never)) }),
    async start(inbox, signal) {
      const commands = registerCommands(api, parts, signal);
      if (webhook === undefined) {
        const onlyOne = await createOnlyOne(parts.store, "telegram-poll", { leaseMs: pollLeaseMs });
        const { pollPace: pace } = parts;
        await pollTelegram({ api, intake: intake(inbox, signal), onlyOne, ...(pace && { pace }) }, signal);
      } else {
        await keepWebhook(api, webhook, signal);
      }
      await commands;
    },
    pieces: telegramPieces,
    send,
    preview(recipient) {
      const place = findRecipient(recipient);
      return place === undefined ? noPreview : showTelegramPreview(api, place, parts.previewPace, parts.now);
    },
    check: (signal) => checkTelegram(api, webhook, signal, parts.now),
  };
  return channel;
}
