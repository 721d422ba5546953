import * as v from "valibot";

const Fields = v.record(v.string(), v.unknown());

/** The arguments by name, or undefined when the text is no whole JSON object (a preview is cut). */
export function readArguments(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const fields = v.safeParse(Fields, value);
    return fields.success && !Array.isArray(value) ? fields.output : undefined;
  } catch {
    return undefined;
  }
}

/** Signs that draw nothing or turn the direction of what follows: a call could look like another one. */
const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** The text with such signs as their numbers. */
export const visible = (text: string) =>
  text.replace(unseen, (sign) => `⟨${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}⟩`);

const shown = (value: unknown) => visible(typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** One line that tells a call apart from the others: its first argument. */
export function summary(text: string): string {
  const fields = readArguments(text);
  const first = fields === undefined ? text : Object.values(fields)[0];
  return first === undefined ? "" : shown(first).replace(/\s+/g, " ").slice(0, 120);
}

/** The arguments of a call, each under its name. */
export function Arguments({ text }: { text: string }) {
  const fields = readArguments(text);
  if (fields === undefined) return <pre>{visible(text)}</pre>;
  return (
    <dl>
      {Object.entries(fields).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <pre>{shown(value)}</pre>
          </dd>
        </div>
      ))}
    </dl>
  );
}
