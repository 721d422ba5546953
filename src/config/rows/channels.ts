import * as v from "valibot";
import type { SettingRow } from "../setting-row.ts";
import { choice, httpUrl, list, seconds, text } from "../values.ts";
import { webhookList } from "../webhook-list.ts";

const policy = choice(["open", "pairing", "closed"]);
const policyDoc =
  "Who may write: `open` anybody, `pairing` who was admitted by a code, `closed` only the allowed senders.";

/** Channels: how people and machines reach the agent from outside. */
export const channelRows = {
  publicUrl: {
    env: "OPENCLAW_PUBLIC_URL",
    schema: httpUrl,
    doc: "Address under which others reach this server, such as `https://agent.example.com`; webhooks are registered and signatures checked with it.",
  },
  telegramToken: {
    env: "TELEGRAM_BOT_TOKEN",
    schema: text,
    secret: true,
    doc: "Token of the bot; turns Telegram on.",
    alias: ["OpenClaw__Channels__Telegram__BotToken"],
  },
  telegramSecret: {
    env: "TELEGRAM_WEBHOOK_SECRET",
    schema: v.pipe(text, v.regex(/^[A-Za-z0-9_-]{1,256}$/, "Expected 1 to 256 letters, digits, _ and -")),
    secret: true,
    doc: "Secret that Telegram shows with each delivery; made from the bot's token when left out.",
    alias: ["OpenClaw__Channels__Telegram__WebhookSecretToken"],
  },
  telegramPolicy: {
    env: "OPENCLAW_TELEGRAM_DM_POLICY",
    schema: policy,
    fallback: "pairing",
    doc: policyDoc,
    alias: ["OpenClaw__Channels__Telegram__DmPolicy"],
  },
  telegramSenders: {
    env: "OPENCLAW_TELEGRAM_ALLOWED_SENDERS",
    schema: list,
    fallback: "",
    doc: "Ids of users who may always write, separated by commas.",
    alias: ["OpenClaw__Channels__Telegram__AllowedFromUserIds"],
  },
  telegramApi: {
    env: "OPENCLAW_TELEGRAM_API_URL",
    schema: httpUrl,
    fallback: "https://api.telegram.org",
    doc: "Base URL of the Bot API.",
  },
  twilioAccount: {
    env: "TWILIO_ACCOUNT_SID",
    schema: text,
    doc: "Account of Twilio; SMS is on with the three `TWILIO_*`.",
    alias: ["OpenClaw__Channels__Sms__Twilio__AccountSid"],
  },
  twilioToken: {
    env: "TWILIO_AUTH_TOKEN",
    live: true,
    schema: text,
    secret: true,
    doc: "Token of the account; signatures are checked with it.",
  },
  twilioFrom: {
    env: "TWILIO_FROM",
    schema: text,
    doc: "Number that SMS come from, or the id of a messaging service.",
    alias: ["OpenClaw__Channels__Sms__Twilio__FromNumber"],
  },
  twilioApi: {
    env: "OPENCLAW_TWILIO_API_URL",
    schema: httpUrl,
    fallback: "https://api.twilio.com",
    doc: "Base URL of Twilio's API.",
  },
  smsPolicy: {
    env: "OPENCLAW_SMS_DM_POLICY",
    schema: policy,
    fallback: "pairing",
    doc: policyDoc,
    alias: ["OpenClaw__Channels__Sms__DmPolicy"],
  },
  smsSenders: {
    env: "OPENCLAW_SMS_ALLOWED_SENDERS",
    schema: list,
    fallback: "",
    doc: "Numbers that may always write, separated by commas.",
    alias: ["OpenClaw__Channels__Sms__Twilio__AllowedFromNumbers"],
  },
  slackToken: {
    env: "SLACK_BOT_TOKEN",
    live: true,
    schema: text,
    secret: true,
    doc: "Token of the Slack app's bot; Slack is on with it and the signing secret.",
  },
  slackSecret: {
    env: "SLACK_SIGNING_SECRET",
    live: true,
    schema: text,
    secret: true,
    doc: "Secret that Slack signs its requests with.",
  },
  slackPolicy: {
    env: "OPENCLAW_SLACK_DM_POLICY",
    schema: policy,
    fallback: "pairing",
    doc: policyDoc,
  },
  slackSenders: {
    env: "OPENCLAW_SLACK_ALLOWED_SENDERS",
    schema: list,
    fallback: "",
    doc: "Ids of users who may always write, separated by commas.",
  },
  slackApi: {
    env: "OPENCLAW_SLACK_API_URL",
    schema: httpUrl,
    fallback: "https://slack.com/api",
    doc: "Base URL of Slack's Web API.",
  },
  webhooks: {
    env: "OPENCLAW_WEBHOOKS",
    live: true,
    schema: webhookList,
    fallback: "",
    doc: 'Webhooks under `/webhooks/<name>`, as JSON such as `{"deploys": {"prompt": "A deploy ended: {body}"}}`.',
  },
  webhookSecrets: {
    env: "OPENCLAW_WEBHOOKS_<NAME>_SECRET",
    live: true,
    family: /^OPENCLAW_WEBHOOKS_([A-Z0-9_]+)_SECRET$/,
    schema: v.pipe(
      v.string(),
      v.transform((json) => json || "{}"),
      v.parseJson(),
      v.record(v.string(), v.array(v.pipe(v.string(), v.minLength(8, "Expected at least 8 characters")))),
    ),
    fallback: "",
    secret: true,
    doc: "Secret of the webhook of that name (`-` is written `_`); several, separated by commas, while one replaces another.",
  },
  replayMs: {
    env: "OPENCLAW_REPLAY_SECONDS",
    schema: seconds(30 * 86_400),
    fallback: "86400",
    doc: "How long a delivery is known again when it is repeated.",
  },
  outboxGiveUpMs: {
    env: "OPENCLAW_OUTBOX_GIVE_UP_SECONDS",
    schema: seconds(30 * 86_400),
    fallback: "86400",
    doc: "How long an answer that cannot be delivered is tried; after that it is kept as `dead`.",
  },
} as const satisfies Record<string, SettingRow>;
