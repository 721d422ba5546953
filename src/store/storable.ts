import type { SqlValue } from "./tx.ts";

/**
 * A value as every database can hold it: PostgreSQL takes no NUL in a text, and neither takes half a surrogate pair.
 * Both become U+FFFD, never nothing: a name must not turn into another one.
 */
export function storable(value: SqlValue): SqlValue {
  if (typeof value !== "string") return value;
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text;
}
