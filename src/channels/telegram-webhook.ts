import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../errors.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { checkType, deliveryJson, deliveryText, readDelivery, unproved } from "./read-delivery.ts";
import { type TelegramApi, TelegramError } from "./telegram-api.ts";
import type { Intake } from "./telegram-intake.ts";
import { isSecret } from "./telegram-secret.ts";
import { Update, wantedUpdates } from "./telegram-update.ts";
import { waitFor } from "./wait-for.ts";

const path = "/telegram/inbound";
const mostBytes = 64 * 1024;

async function readUpdate(request: Request): Promise<v.InferOutput<typeof Update>> {
  checkType(request, "application/json");
  const json = deliveryJson(deliveryText(await readDelivery(request, mostBytes)));
  const update = v.safeParse(Update, json);
  if (!update.success) throw new AppError("bad_request", "The body is no update of the Bot API.");
  return update.output;
}

/** Where Telegram delivers. The secret is looked at before anything else; what is not for us is acknowledged. */
export function telegramRoutes(secret: string, intake: Intake): Hono {
  const app = new Hono();
  app.post(path, async (c) => {
    const shown = c.req.raw.headers.get("x-telegram-bot-api-secret-token") ?? "";
    if (!isSecret(shown, secret)) throw unproved("The secret of the Telegram webhook");
    await intake.take(await readUpdate(c.req.raw));
    return c.json({});
  });
  return app;
}

const WebhookInfo = v.object({
  url: v.optional(v.string(), ""),
  allowed_updates: v.optional(v.array(v.string()), []),
  pending_update_count: v.optional(v.number(), 0),
  last_error_message: v.optional(v.string()),
  last_error_date: v.optional(v.number(), 0),
});

/** How Telegram sees the webhook of the bot. */
export const webhookInfo = async (api: TelegramApi, signal: AbortSignal) =>
  v.parse(WebhookInfo, await api.call("getWebhookInfo", undefined, signal));

export interface Webhook {
  /** Under which others reach this server. */
  readonly publicUrl: string;
  readonly secret: string;
  /** Changes with the secret, which Telegram does not tell. */
  readonly mark: string;
}

/** The address that Telegram is to deliver to. */
export const webhookUrl = ({ publicUrl, mark }: Webhook) =>
  `${publicUrl.replace(/\/+$/, "")}${path}?v=${mark}`;

export const hasAllWanted = (allowed: readonly string[]) =>
  allowed.length === wantedUpdates.length && wantedUpdates.every((kind) => allowed.includes(kind));

async function register(api: TelegramApi, webhook: Webhook, signal: AbortSignal): Promise<void> {
  const url = webhookUrl(webhook);
  const info = await webhookInfo(api, signal);
  if (info.url === url && hasAllWanted(info.allowed_updates)) return;
  const wanted = { url, secret_token: webhook.secret, allowed_updates: wantedUpdates };
  // What waits is delivered: messages that came while this server was down.
  await api.call("setWebhook", { ...wanted, drop_pending_updates: false }, signal);
  log.info("Telegram delivers to this server", { url });
}

const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;
/** Somebody else with the token may have taken it away. */
const lookAgainMs = 60 * 60_000;

/** Registers the webhook, tries until that works, and looks after it until the signal. */
export async function keepWebhook(api: TelegramApi, webhook: Webhook, signal: AbortSignal): Promise<void> {
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    try {
      await register(api, webhook, signal);
      waitMs = firstWaitMs;
      await waitFor(lookAgainMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn("the Telegram webhook could not be registered", { error, againInMs: waitMs });
      const asked = error instanceof TelegramError ? (error.retryAfterMs ?? 0) : 0;
      await waitFor(Math.max(waitMs, asked), signal);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }
}
