import { DeliveryError } from "./channel.ts";

/** Where a message goes: a chat, or a topic of one, and who asked there. As a text: `-1001234/7#4711`. */
export interface TelegramPlace {
  /** A number, or the `@name` of a public group or channel. */
  readonly chat: string;
  readonly topic?: number;
  /** Who asked in a group: the only one who may decide what is asked back. */
  readonly asker?: string;
}

const shape = /^(-?\d{1,16}|@[A-Za-z]\w{3,31})(?:\/(\d{1,15}))?(?:#(\d{1,16}))?$/;

export const writeRecipient = ({ chat, topic, asker }: TelegramPlace) =>
  `${chat}${topic === undefined ? "" : `/${topic}`}${asker === undefined ? "" : `#${asker}`}`;

/** Undefined for what is none; jobs and webhooks name recipients by hand. */
export function findRecipient(recipient: string): TelegramPlace | undefined {
  const [, chat, topic, asker] = shape.exec(recipient) ?? [];
  if (chat === undefined) return undefined;
  return {
    chat,
    ...(topic !== undefined && { topic: Number(topic) }),
    ...(asker !== undefined && { asker }),
  };
}

/** The limits of the Bot API are those of a chat, whatever topic and whoever asked. */
export const placeOf = (recipient: string) => findRecipient(recipient)?.chat ?? recipient;

/** Throws a final `DeliveryError` for what is none. */
export function readRecipient(recipient: string): TelegramPlace {
  const place = findRecipient(recipient);
  if (place !== undefined) return place;
  const what = JSON.stringify(recipient.slice(0, 100));
  throw new DeliveryError(
    `Telegram has no recipient ${what}: give the number of a chat, such as 4711, or -1001234/7 for a topic.`,
    { final: true },
  );
}

/** Groups and channels have negative numbers. */
export const isGroup = ({ chat }: TelegramPlace) => !/^\d/.test(chat);

/** Who may press the buttons under a question: in a private chat the chat has its person's number. */
export const approverOf = (place: TelegramPlace) => (isGroup(place) ? place.asker : place.chat);

/** The fields of a call of the Bot API that say where to. */
export const target = ({ chat, topic }: TelegramPlace) => ({
  chat_id: chat,
  ...(topic !== undefined && { message_thread_id: topic }),
});
