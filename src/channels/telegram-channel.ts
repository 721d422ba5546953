import type { Command } from "../agent/commands.ts";
import type { Store } from "../store/open.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { hideSecrets } from "../telemetry/mask.ts";
import type { Channel, Inbox, Preview } from "./channel.ts";
import { createOnlyOne } from "./only-one.ts";
import { createAlbums } from "./telegram-albums.ts";
import { createTelegramApi, type TelegramApi } from "./telegram-api.ts";
import { checkTelegram } from "./telegram-check.ts";
import { createIntake } from "./telegram-intake.ts";
import { telegramPieces } from "./telegram-pieces.ts";
import { pollLeaseMs, type PollPace, pollTelegram } from "./telegram-poll.ts";
import { type PreviewPace, showTelegramPreview } from "./telegram-preview.ts";
import { findRecipient, placeOf } from "./telegram-recipient.ts";
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
  readonly albumQuietMs?: number;
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
  const albums = createAlbums({ store: parts.store, quietMs: parts.albumQuietMs, now: parts.now });
  const intake = (inbox: Inbox, signal: AbortSignal) =>
    createIntake({ channel, inbox, albums, api, key, signal });

  const channel: Channel = {
    name: "telegram",
    policy: telegramPolicy,
    allowedSenders: telegramSenders,
    ...(webhook !== undefined && { routes: (inbox) => telegramRoutes(secret, intake(inbox, never)) }),
    async start(inbox, signal) {
      const own = intake(inbox, signal);
      const receive = async () => {
        if (webhook !== undefined) return keepWebhook(api, webhook, signal);
        const onlyOne = await createOnlyOne(parts.store, "telegram-poll", { leaseMs: pollLeaseMs });
        const { pollPace: pace } = parts;
        await pollTelegram({ api, intake: own, onlyOne, ...(pace && { pace }) }, signal);
      };
      const commands = registerCommands(api, parts, signal);
      // What fails is begun anew as a whole.
      const ended = new AbortController();
      const kept = albums.keep(own.takeAlbum, AbortSignal.any([signal, ended.signal]));
      await receive().finally(() => ended.abort());
      await Promise.all([commands, kept]);
    },
    pieces: telegramPieces,
    placeOf,
    send,
    preview(recipient, isNext) {
      const place = findRecipient(recipient);
      if (place === undefined) return noPreview;
      return showTelegramPreview(api, place, parts.previewPace, parts.now, isNext);
    },
    check: (signal) => checkTelegram(api, webhook, signal, parts.now),
  };
  return channel;
}
