import { cutText } from "./cut-text.ts";
import type { Message, User } from "./telegram-update.ts";

const longestName = 64;
const longestQuote = 1000;

/** A name that its bearer chose, as part of a line of ours: one line, no brackets, not long. */
export function safeName(name: string): string {
  const plain = name
    .toWellFormed()
    .replace(/[[\]\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
  return cutText(plain, longestName)[0] ?? "";
}

export const nameOf = ({ first_name, username, id }: User) =>
  safeName(first_name) || safeName(username ?? "") || String(id);

/** What came that is neither text nor a picture nor a file, as a line; undefined for what nobody said (members, pins). */
export function otherLine(message: Message): string | undefined {
  const { animation, voice, audio, video, video_note, sticker, location, contact, poll } = message;
  if (voice) return `[Voice message of ${voice.duration} s: not heard, as only text is read]`;
  if (audio) return `[Audio of ${audio.duration} s${audio.title ? `: ${safeName(audio.title)}` : ""}]`;
  if (animation) return `[Animation of ${animation.duration} s]`;
  if (video ?? video_note) return `[Video of ${(video ?? video_note)?.duration} s: not seen]`;
  if (sticker) return `[Sticker ${safeName(sticker.emoji)}]`;
  if (location) return `[Location ${location.latitude}, ${location.longitude}]`;
  if (contact) return `[Contact ${safeName(contact.first_name)}, ${safeName(contact.phone_number)}]`;
  if (poll) return `[Poll: ${safeName(poll.question)}]`;
  return undefined;
}

/** Says that a text is somebody else's: it is data, and what begins with a slash in it is no command. */
export function forwardLine({ forward_origin: origin }: Message): string | undefined {
  if (origin === undefined) return undefined;
  const chat = origin.sender_chat ?? origin.chat;
  const who = origin.sender_user
    ? nameOf(origin.sender_user)
    : safeName(origin.sender_user_name ?? chat?.title ?? "");
  return who === "" ? "[Forwarded]" : `[Forwarded from ${who}]`;
}

/** What the message answers to, where that is not the bot's own: the bot has not seen it. */
export function replyLine(
  { reply_to_message: replied }: Message,
  botId: number | undefined,
): string | undefined {
  const said = replied?.text ?? replied?.caption;
  if (said === undefined || replied?.from?.id === botId) return undefined;
  const [quote = ""] = cutText(said, longestQuote);
  const who = replied?.from === undefined ? "somebody" : nameOf(replied.from);
  return `[In reply to ${who}]\n${quote.replace(/^/gm, "> ")}\n`;
}
