import type { Hono } from "hono";
import type { Command } from "../agent/commands.ts";
import type { Delivery } from "../agent/turn.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Turns } from "../turns/turns.ts";
import type { Channel } from "./channel.ts";

type Policy = Channel["policy"];

/** The settings of the channels; the rows of the group `channels` have these names. */
export interface ChannelSettings {
  readonly publicUrl: string | undefined;
  readonly telegramToken: string | undefined;
  readonly telegramSecret: string | undefined;
  readonly telegramPolicy: Policy;
  readonly telegramSenders: readonly string[];
  readonly telegramApi: string;
  readonly twilioAccount: string | undefined;
  readonly twilioToken: string | undefined;
  readonly twilioFrom: string | undefined;
  readonly twilioApi: string;
  readonly smsPolicy: Policy;
  readonly smsSenders: readonly string[];
  readonly slackToken: string | undefined;
  readonly slackSecret: string | undefined;
  readonly slackPolicy: Policy;
  readonly slackSenders: readonly string[];
  readonly slackApi: string;
  readonly webhooks: Readonly<Record<string, WebhookRule>>;
  /** By the name in the variable: `OPENCLAW_WEBHOOKS_<NAME>_SECRET`. */
  readonly webhookSecrets: Readonly<Record<string, readonly string[]>>;
  readonly replayMs: number;
}

/** What becomes of the requests of one machine. */
export interface WebhookRule {
  readonly prompt: string;
  readonly session?: string | undefined;
  readonly agent?: string | undefined;
  readonly delivery?: Delivery | undefined;
  readonly signature: "github" | "stripe" | "slack";
}

/** What a channel may use beside its settings and the inbox. */
export interface ChannelParts {
  readonly store: Store;
  readonly audit?: AuditTrail;
  /** The slash commands, for providers that show a list of them; asked for when the channel starts. */
  readonly commands?: () => readonly Pick<Command, "name" | "doc">[];
  readonly now?: () => number;
}

/** Makes a channel, or nothing when its settings are not there. What is heavy is imported inside it. */
export type MakeChannel = (
  settings: ChannelSettings,
  parts: ChannelParts,
) => Channel | undefined | Promise<Channel | undefined>;

/** What a way in for machines is handed: nobody is admitted, and nothing is answered but by the turn's own delivery. */
export interface EntranceParts extends ChannelParts {
  readonly accept: Turns["accept"];
}

/** Makes the routes of a way in that is no channel, or nothing when its settings are not there. */
export type MakeEntrance = (
  settings: ChannelSettings,
  parts: EntranceParts,
) => Hono | undefined | Promise<Hono | undefined>;
