import * as v from "valibot";
import { mostItems } from "../../store/page.ts";

const digits = v.pipe(v.string(), v.regex(/^\d{1,3}$/, "Expected a whole number."), v.transform(Number));

/** Items of a page; in a query string a number is a text. */
export const Limit = v.optional(
  v.pipe(v.union([v.number(), digits]), v.integer(), v.minValue(1), v.maxValue(mostItems)),
  50,
);

/** `next` of the page before. */
export const PageCursor = v.optional(v.pipe(v.string(), v.maxLength(1024)));

/** The parameters of a page as the store takes them. */
export const pageOf = ({ cursor, limit }: { cursor?: string | undefined; limit: number }) => ({
  limit,
  ...(cursor !== undefined && { cursor }),
});

/** `next` is absent on the last page. */
export const pageSchema = <Item extends v.GenericSchema<unknown, unknown>>(item: Item) =>
  v.object({ items: v.array(item), next: v.optional(v.string()) });
