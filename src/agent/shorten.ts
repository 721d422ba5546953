import * as v from "valibot";
import { type Message, userMessage } from "../llm/message.ts";
import { hasPictures, weightOf, withoutPictures } from "../llm/pictures.ts";

const Part = v.looseObject({ type: v.string(), text: v.optional(v.string()) });
const Said = v.looseObject({ content: v.union([v.string(), v.array(Part)]) });
type Content = v.InferOutput<typeof Said>["content"];

/** A text of at most so many characters beside its note: the beginning and the end, and how much is missing between. */
export function headAndTail(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const tail = Math.floor(characters / 3);
  const head = characters - tail;
  const note = `[… ${text.length - characters} characters are left out here …]`;
  return `${text.slice(0, head)}\n${note}\n${text.slice(text.length - tail)}`.toWellFormed();
}

const lengthOf = (content: Content) =>
  typeof content === "string" ? content.length : content.reduce((sum, { text = "" }) => sum + text.length, 0);

/** About `characters` of a content: the long ones of its parts are cut, what is no text stays as it is. */
function partOf(content: Content, characters: number): Content {
  if (typeof content === "string") return headAndTail(content, characters);
  const each = Math.floor(characters / content.length);
  return content.map((part) =>
    part.text === undefined ? part : { ...part, text: headAndTail(part.text, each) },
  );
}

/** The message with the middle of its text left out, so that it has at most `maxBytes`, or no text but the notes. */
export function shortened(message: Message, maxBytes: number): Message {
  const whole = weightOf(message);
  if (whole <= maxBytes) return message;
  if (hasPictures(message)) return shortened(withoutPictures(message), maxBytes);
  const read = v.safeParse(Said, JSON.parse(message.json));
  if (!read.success) return message;
  const { content } = read.output;
  let characters = Math.floor((lengthOf(content) * Math.max(maxBytes, 0)) / whole);
  for (;;) {
    const json = JSON.stringify({ ...read.output, content: partOf(content, characters) });
    const bytes = Buffer.byteLength(json);
    if (bytes <= maxBytes || characters === 0) return { ...message, json };
    // Signs that JSON writes longer stand where they like, so that the first guess may be far off.
    const less = Math.min(0.9, Math.max(maxBytes, 0) / bytes);
    characters = characters < 16 ? 0 : Math.floor(characters * less);
  }
}

/** The text of a message; what is no text is named. */
export function textOf(message: Message): string {
  const read = v.safeParse(Said, JSON.parse(message.json));
  if (!read.success) return "";
  const { content } = read.output;
  if (typeof content === "string") return content;
  return content.map(({ type, text }) => text ?? `[${type}]`).join("\n\n");
}

/** What a person said, shortened; where parts of it are too long themselves, without them. */
export function shortenedText(message: Message, maxBytes: number): Message {
  const short = shortened(message, maxBytes);
  if (Buffer.byteLength(short.json) <= maxBytes) return short;
  return shortened(userMessage(textOf(message)), maxBytes);
}
