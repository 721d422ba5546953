import * as v from "valibot";
import type { Entry, Session } from "../store/sessions.ts";

const Call = v.object({ function: v.object({ name: v.string(), arguments: v.string() }) });

/** As much of a stored chat message as a person reads. */
const Told = v.object({
  content: v.optional(v.unknown()),
  tool_calls: v.optional(v.array(Call), []),
});

const TextPart = v.object({ text: v.string() });
const ImagePart = v.object({ image_url: v.object({ url: v.string() }) });

function partText(part: unknown): string {
  if (v.is(TextPart, part)) return part.text;
  if (!v.is(ImagePart, part)) return "";
  const { url } = part.image_url;
  // An image that is in the message itself would be longer than all the rest.
  return /^https:[^\s()<>]+$/.test(url) ? `![image](${url})` : "*(an image)*";
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map(partText).join("\n\n") : "";
}

/** A code block whose fence is longer than any in the text, so that the text cannot end it. */
export function codeBlock(text: string, language = ""): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

const speakers = { user: "User", assistant: "Assistant", system: "System", tool: "Tool result" };

/** An entry as Markdown: who, when, what was said and which tools were called. */
export function markdownOf({ message, createdAt }: Entry): string {
  const { content, tool_calls } = v.parse(Told, JSON.parse(message.json));
  const text = textOf(content);
  const calls = tool_calls.map(
    (call) => `Calls \`${call.function.name}\`:\n\n${codeBlock(call.function.arguments, "json")}`,
  );
  const said = message.role === "tool" ? codeBlock(text) : text;
  const body = [said, ...calls].filter((part) => part !== "").join("\n\n");
  return `## ${speakers[message.role]} · ${new Date(createdAt).toISOString()}\n\n${body}\n\n`;
}

/** How a Markdown file of a session begins. */
export function markdownHead({ id, title, createdAt, model }: Omit<Session, "lastEvent">): string {
  const lines = [`- session: \`${id}\``, `- started: ${new Date(createdAt).toISOString()}`];
  if (model !== undefined) lines.push(`- model: \`${model}\``);
  return `# ${(title ?? id).replace(/[\\`*_[\]<>#]/g, "\\$&")}\n\n${lines.join("\n")}\n\n`;
}
