import type { TelegramMe } from "./telegram-api.ts";
import type { Entity, Message } from "./telegram-update.ts";

/** A text and what Telegram marked in it: of the message itself, or of its picture. */
export interface Marked {
  readonly text: string;
  readonly entities: readonly Entity[];
}

export const markedText = (message: Message): Marked =>
  message.text === undefined
    ? { text: message.caption ?? "", entities: message.caption_entities }
    : { text: message.text, entities: message.entities };

const part = (text: string, { offset, length }: Entity) => text.slice(offset, offset + length);

/** The slash command at the beginning, without the name of the bot that it is for. */
export function commandOf({
  text,
  entities,
}: Marked): { word: string; bot?: string; rest: string } | undefined {
  const entity = entities.find(({ type, offset }) => type === "bot_command" && offset === 0);
  if (entity === undefined) return undefined;
  const [word = "", bot] = part(text, entity).split("@");
  return { word, ...(bot !== undefined && { bot }), rest: text.slice(entity.length) };
}

const isMention = (text: string, entity: Entity, me: TelegramMe) =>
  entity.type === "text_mention"
    ? entity.user?.id === me.id
    : entity.type === "mention" && part(text, entity).toLowerCase() === `@${me.username.toLowerCase()}`;

/** Whether a message in a group is for the bot: it is named, it is answered, or a command is for it or for any bot. */
export function isAddressed(message: Message, me: TelegramMe): boolean {
  const marked = markedText(message);
  const command = commandOf(marked);
  if (command?.bot !== undefined) return command.bot.toLowerCase() === me.username.toLowerCase();
  if (command !== undefined) return true;
  if (marked.entities.some((entity) => isMention(marked.text, entity, me))) return true;
  return message.reply_to_message?.from?.id === me.id;
}

/** The text without the bot's own name at its beginning. */
export function withoutMention({ text, entities }: Marked, me: TelegramMe): string {
  const first = entities.find((entity) => entity.offset === 0 && isMention(text, entity, me));
  return first === undefined ? text : text.slice(first.length).replace(/^[\s,:]+/, "");
}
