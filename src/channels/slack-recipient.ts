import { DeliveryError } from "./channel.ts";

/** Where a message goes: a channel, perhaps a thread of it, and who asked there. As a text: `C012/1503435956.000247#U061`. */
export interface SlackPlace {
  /** Id of a channel or a direct conversation; of a user, to open one. */
  readonly channel: string;
  /** `ts` of the message that the thread is under. */
  readonly thread?: string;
  /** The only one who may decide what is asked back. */
  readonly asker?: string;
}

const shape = /^([A-Z][A-Z0-9]{1,31})(?:\/(\d{1,12}\.\d{1,8}))?(?:#([A-Z][A-Z0-9]{1,31}))?$/;

export const writeRecipient = ({ channel, thread, asker }: SlackPlace) =>
  `${channel}${thread === undefined ? "" : `/${thread}`}${asker === undefined ? "" : `#${asker}`}`;

/** Slack's limits are those of a channel, whatever thread of it and whoever asked. */
export const placeOf = (recipient: string) => shape.exec(recipient)?.[1] ?? recipient;

/** Throws a final `DeliveryError` for what is none; jobs and webhooks name recipients by hand. */
export function readRecipient(recipient: string): SlackPlace {
  const [, channel, thread, asker] = shape.exec(recipient) ?? [];
  if (channel === undefined) {
    const what = JSON.stringify(recipient.slice(0, 100));
    const text = `Slack has no recipient ${what}: give the id of a channel or a user, such as C012AB3CD, or C012AB3CD/1503435956.000247 for a thread.`;
    throw new DeliveryError(text, { final: true });
  }
  return {
    channel,
    ...(thread !== undefined && { thread }),
    ...(asker !== undefined && { asker }),
  };
}

/** The fields of a call of the Web API that say where to. */
export const target = ({ channel, thread }: SlackPlace) => ({
  channel,
  ...(thread !== undefined && { thread_ts: thread }),
});
