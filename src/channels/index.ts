import type { Hono } from "hono";
import type { Channel } from "./channel.ts";
import type {
  ChannelParts,
  ChannelSettings,
  EntranceParts,
  MakeChannel,
  MakeEntrance,
} from "./make-channel.ts";
import { makeTelegram } from "./telegram.ts";
import { makeWebhooks } from "./webhooks.ts";

export type {
  ChannelParts,
  ChannelSettings,
  EntranceParts,
  MakeChannel,
  MakeEntrance,
  WebhookRule,
} from "./make-channel.ts";

/** One line for each channel: of one that is off nothing is loaded. */
const makers: readonly MakeChannel[] = [
  makeTelegram,
  async (settings, parts) =>
    settings.twilioAccount === undefined
      ? undefined
      : (await import("./twilio.ts")).makeTwilio(settings, parts),
  async (settings, parts) =>
    settings.slackToken === undefined ? undefined : (await import("./slack.ts")).makeSlack(settings, parts),
];

/** The channels that are switched on. */
export async function makeChannels(settings: ChannelSettings, parts: ChannelParts): Promise<Channel[]> {
  const made = await Promise.all(makers.map((make) => make(settings, parts)));
  return made.filter((channel) => channel !== undefined);
}

/** One line for each way in that is no channel. */
const entrances: readonly MakeEntrance[] = [makeWebhooks];

/** The routes of the ways in that are switched on. */
export async function makeEntrances(settings: ChannelSettings, parts: EntranceParts): Promise<Hono[]> {
  const made = await Promise.all(entrances.map((make) => make(settings, parts)));
  return made.filter((routes) => routes !== undefined);
}
