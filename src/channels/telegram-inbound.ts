import type { Attachment, Inbound } from "./channel.ts";
import { commandOf, isAddressed, markedText, withoutMention } from "./telegram-address.ts";
import type { TelegramMe } from "./telegram-api.ts";
import { writeRecipient, type TelegramPlace } from "./telegram-recipient.ts";
import type { Message } from "./telegram-update.ts";
import { forwardLine, nameOf, otherLine, replyLine } from "./telegram-words.ts";

/** A message as a turn, a reply of ours that is none, or why it is neither. */
export type Reading =
  | { readonly kind: "turn"; readonly inbound: Inbound }
  | { readonly kind: "told"; readonly place: TelegramPlace; readonly text: string }
  | { readonly kind: "ignored"; readonly why: string };

const ignored = (why: string): Reading => ({ kind: "ignored", why });

const inGroup = "In a group the one who asked decides, with the buttons under the question.";

/** The command at the beginning of a private text, or of one for the bot in a group, without the bot's name. */
function ownCommand(message: Message): string | undefined {
  const command = commandOf(markedText(message));
  if (command === undefined || message.forward_origin !== undefined) return undefined;
  return `${command.word}${command.rest}`;
}

/** The text of a turn: what is quoted or forwarded is marked as such, and in a group who speaks. */
function textOf(message: Message, rest: readonly Message[], me: TelegramMe | undefined): string {
  const command = ownCommand(message);
  if (command !== undefined) return command;
  const marked = markedText(message);
  const lines = [
    replyLine(message, me?.id),
    forwardLine(message),
    me === undefined ? marked.text : withoutMention(marked, me),
    otherLine(message),
    ...rest.flatMap((other) => [other.caption, otherLine(other)]),
  ].filter((line) => line !== undefined && line !== "");
  const text = lines.join("\n");
  return me === undefined || message.from === undefined ? text : `[${nameOf(message.from)}] ${text}`;
}

/**
 * Reads a message. `me` is asked for only in groups, where a message must be for the bot. A group's session belongs to
 * the group; in a private chat the chat has the number of its person. `parts` are one message, or those of an album:
 * then the one with the caption speaks for all.
 */
export async function readMessage(
  deliveryId: string,
  parts: readonly [Message, ...Message[]],
  of: { me(): Promise<TelegramMe>; attachments(message: Message): readonly Attachment[] },
): Promise<Reading> {
  const message = parts.find(({ caption = "" }) => caption !== "") ?? parts[0];
  const rest = parts.filter((part) => part !== message);
  const { from, chat, message_thread_id: thread } = message;
  if (from === undefined || message.sender_chat !== undefined) return ignored("no person sent it");
  if (from.is_bot) return ignored("a bot sent it");
  const isPrivate = chat.type === "private";
  if (!isPrivate && chat.type !== "group" && chat.type !== "supergroup") return ignored("it is no chat");
  if (isPrivate && chat.id !== from.id) return ignored("the chat is not its sender's");
  const attachments = parts.flatMap((part) => of.attachments(part));
  const me = isPrivate ? undefined : await of.me();
  if (me !== undefined && !isAddressed(message, me)) return ignored("it is not for the bot");
  const isEmpty = markedText(message).text.trim() === "" && otherLine(message) === undefined;
  if (isEmpty && attachments.length === 0) return ignored("nobody said anything in it");

  const topic = message.is_topic_message ? thread : undefined;
  const place: TelegramPlace = {
    chat: String(chat.id),
    ...(topic !== undefined && { topic }),
    ...(!isPrivate && { asker: String(from.id) }),
  };
  // The group is one principal: by text anybody in it could approve what another one asked for.
  if (!isPrivate && /^\/approve\b/i.test(ownCommand(message) ?? ""))
    return { kind: "told", place, text: inGroup };
  const inbound: Inbound = {
    deliveryId,
    sender: { id: String(from.id), name: nameOf(from) },
    recipient: writeRecipient(place),
    sessionId: `telegram:${chat.id}${topic === undefined ? "" : `:${topic}`}`,
    principal: `telegram:${chat.id}`,
    text: textOf(message, rest, me),
    ...(attachments.length > 0 && { attachments }),
  };
  return { kind: "turn", inbound };
}
