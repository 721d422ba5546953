import { dataFrame } from "../agent/data-frame.ts";

/** How the body of a webhook's request becomes the text of a turn. */

/** Of what a body says in one turn; the operator's own words come on top. */
const mostCharacters = 10_240;

/** `{body}`, or the way to something in its JSON, such as `{pull_request.labels.0.name}`. */
const placeholder = /\{([\w$@:/-]{1,100}(?:\.[\w$@:/-]{1,100}){0,15})\}/g;

/** What came: its text, and the JSON in it when it is some. */
export interface WebhookBody {
  readonly text: string;
  readonly json: unknown;
}

/** Deeper JSON is taken for none: to write a part of it again takes the square of its depth. */
const mostLevels = 100;

function isDeeper(json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) return true;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  return false;
}

/** Of a key that is there twice the last counts, as everywhere in JavaScript. */
export function readWebhookBody(text: string): WebhookBody {
  try {
    const json: unknown = JSON.parse(text);
    return { text, json: isDeeper(json) ? undefined : json };
  } catch {
    return { text, json: undefined };
  }
}

/** What stands at the end of a way through the JSON; empty when there is nothing. */
function at(json: unknown, path: string): string {
  let found = json;
  for (const key of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return "";
    found = Reflect.get(found, key);
  }
  if (found === undefined || found === null) return "";
  return typeof found === "object" ? JSON.stringify(found) : String(found);
}

const valueOf = (body: WebhookBody, path: string) => (path === "body" ? body.text : at(body.json, path));

/** Cuts at the end of a grapheme, and says how much is left out. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(
    text.slice(0, most + 2),
  );
  const end = segments.containing(most)?.index ?? most;
  return `${text.slice(0, end)}[… ${text.length - end} more characters were cut]`;
}

/** The text for the agent. In one pass: what is filled in is never expanded again, and is marked as data. */
export function fillPrompt(template: string, name: string, body: WebhookBody): string {
  let left = mostCharacters;
  const filled = template.replace(placeholder, (_, path: string) => {
    const value = valueOf(body, path);
    if (value === "") return "";
    const shown = cut(value, left);
    left = Math.max(0, left - value.length);
    return dataFrame("webhook", name, shown);
  });
  return filled.trim() === ""
    ? `(The webhook ${name} came without anything that its prompt asks for.)`
    : filled;
}

const longestId = 128;
const reserved = /^(?:telegram|sms|slack|websocket|webhook|job|delegate):/;

/**
 * The session of a request. What the body fills in has only letters, digits, `-`, `_` and `.`; an id that would be of
 * another door's kind is put under the webhook's own name.
 */
export function fillSession(template: string | undefined, name: string, body: WebhookBody): string {
  const own = `webhook:${name}`;
  if (template === undefined) return own;
  const filled = template
    .replace(placeholder, (_, path: string) =>
      valueOf(body, path)
        .slice(0, longestId)
        .replace(/[^A-Za-z0-9\-_.]/g, "-"),
    )
    .replace(/[^A-Za-z0-9\-_.:]/g, "-");
  if (filled === "") return own;
  const isOwn = filled === own || filled.startsWith(`${own}:`);
  return (isOwn || !reserved.test(filled) ? filled : `${own}:${filled}`).slice(0, longestId);
}
