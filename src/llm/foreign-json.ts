/**
 * Readers for JSON that a provider sent. Field by field and forgiving, because providers add, leave out and mistype
 * fields at will and one odd field must not cost the answer; also, they run for every token.
 */
export type ForeignObject = Readonly<Record<string, unknown>>;

export const readObject = (value: unknown): ForeignObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as ForeignObject) : undefined;

export const readList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const readText = (value: unknown): string => (typeof value === "string" ? value : "");

/** A whole number from 0 up, else undefined. */
export const readCount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** The value of a JSON text, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a provider said, fit for a message: one line without control characters, short, and without the secret. */
export function excerpt(text: string, secret?: string, most = 300): string {
  const safe = secret ? text.replaceAll(secret, "[key]") : text;
  const line = safe
    .slice(0, most * 4)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim();
  return line.length > most ? `${line.slice(0, most).toWellFormed()}…` : line.toWellFormed();
}
