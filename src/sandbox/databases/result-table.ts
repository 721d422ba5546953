import * as v from "valibot";

const mostRows = 200;
const mostCharacters = 50_000;
const longestCell = 1000;
const shownBytes = 32;
const shortestCell = 20;

/** What a statement gave, as texts: it crosses a thread or a process as JSON. */
export const ResultTable = v.object({
  columns: v.array(v.string()),
  rows: v.array(v.array(v.string())),
  /** There are more rows than these. */
  more: v.boolean(),
  /** Rows that were changed, where the database says it. */
  changed: v.optional(v.number()),
});
export type ResultTable = v.InferOutput<typeof ResultTable>;

function blobText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, shownBytes)).toString("hex");
  return `x'${hex}${bytes.length > shownBytes ? "…" : ""}' (${bytes.length} bytes)`;
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return blobText(value);
  if (value instanceof ArrayBuffer) return blobText(new Uint8Array(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "(no valid date)" : value.toISOString();
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
}

/** A value of a database as a text, cut when it is long. */
export function cellText(value: unknown, most = longestCell): string {
  const text = valueText(value);
  if (text.length <= most) return text.toWellFormed();
  return `${text.slice(0, most).toWellFormed()}… (${text.length} characters)`;
}

/** The cells of one row, in the order of the columns: several may have one name. */
export type Row = readonly unknown[];

/** Takes rows until there are enough of them, or of their characters. */
export function tableOf(rows: Iterable<Row>, columns: readonly string[]): ResultTable {
  const shown: string[][] = [];
  // A row that has many columns has short cells, so that a whole one fits.
  const most = Math.max(shortestCell, Math.min(longestCell, Math.floor(mostCharacters / columns.length)));
  let room = mostCharacters;
  let more = false;
  for (const row of rows) {
    const cells = row.map((value) => cellText(value, most));
    room -= cells.reduce((sum, cell) => sum + cell.length + 3, 0);
    more = shown.length === mostRows || (room < 0 && shown.length > 0);
    if (more) break;
    shown.push(cells);
  }
  return { columns: columns.map((name) => cellText(name, shortestCell * 5)), rows: shown, more };
}

/** Rows to ask a database for: one more than is shown tells whether there are more. */
export const rowsToAsk = mostRows + 1;
