import * as v from "valibot";
import { AppError } from "../errors.ts";

/** A part of a list; `next` is the cursor that the following part begins at, absent at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

export interface PageOptions {
  readonly cursor?: string;
  readonly limit: number;
}

export const mostItems = 200;

/** The limit that was asked for, brought into its bounds. */
export const pageSize = (limit: number, most = mostItems) =>
  Math.min(Math.max(1, Math.trunc(limit) || 1), most);

/** Cuts the one item off that was read to see whether there is more; `place` is where the page ended, as values of a key. */
export function toPage<Item>(
  read: readonly Item[],
  size: number,
  place: (last: Item) => readonly (string | number)[],
): Page<Item> {
  const items = read.slice(0, size);
  const last = items.at(-1);
  if (read.length <= size || last === undefined) return { items };
  return { items, next: toCursor(place(last)) };
}

/** The place where a page ended, as the following one is asked for. */
export const toCursor = (place: readonly (string | number)[]) =>
  Buffer.from(JSON.stringify(place)).toString("base64url");

/** Reads a cursor back. Throws `bad_request` for one that we did not make. */
export function readCursor<Schema extends v.GenericSchema<unknown, unknown>>(
  schema: Schema,
  cursor: string,
): v.InferOutput<Schema> {
  const place = v.safeParse(
    v.pipe(v.string(), v.parseJson(), schema),
    Buffer.from(cursor, "base64url").toString(),
  );
  if (place.success) return place.output;
  throw badCursor();
}

export const badCursor = () =>
  new AppError("bad_request", "The cursor is none of this list: take it from `next` of the page before.", {
    param: "cursor",
  });
