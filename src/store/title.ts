import * as v from "valibot";
import type { Message } from "../llm/message.ts";

const longest = 80;
/** Of a longer text no more is looked at. */
const looked = 2000;

const Said = v.pipe(v.string(), v.parseJson(), v.object({ content: v.unknown() }));
const TextPart = v.object({ text: v.string() });

/** The text of a content: itself, or that of its parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (v.is(TextPart, part) ? part.text : "")).join(" ");
}

/** What a session is called by its first message: one line of it, at most 80 characters; undefined when it has no text. */
export function titleOf(message: Message): string | undefined {
  const said = v.safeParse(Said, message.json);
  if (!said.success) return undefined;
  const line = textOf(said.output.content)
    .slice(0, looked)
    .toWellFormed()
    // Nothing in it may break the line or turn around what stands beside it.
    .replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, " ")
    .trim();
  const characters = [...line];
  if (characters.length === 0) return undefined;
  return characters.length <= longest
    ? line
    : `${characters
        .slice(0, longest - 1)
        .join("")
        .trimEnd()}…`;
}
