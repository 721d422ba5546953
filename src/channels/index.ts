import type { Hono } from "hono";
import type { Channel } from "./channel.ts";
import type {
  ChannelParts,
  ChannelSettings,
  EntranceParts,
  MakeChannel,
  MakeEntrance,
} from "./make-channel.ts";
import { makeSlack } from "./slack.ts";
import { makeTelegram } from "./telegram.ts";
import { makeTwilio } from "./twilio.ts";
import { makeWebhooks } from "./webhooks.ts";

export type {
  ChannelParts,
  ChannelSettings,
  EntranceParts,
  MakeChannel,
  MakeEntrance,
  WebhookRule,
} from "./make-channel.ts";

/** One line for each channel. */
const makers: readonly MakeChannel[] = [makeTelegram, makeTwilio, makeSlack];

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
