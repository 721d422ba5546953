import { AppError } from "../../errors.ts";

/** A range of pages, both ends included; `to` may be `Infinity`. */
export type PageRange = readonly [from: number, to: number];

const mostRanges = 100;
const rangeSyntax = /^(\d{1,9})(?:\s*-\s*(\d{1,9})?)?$/;

/** `1-3,7,20-` as ranges. Throws `bad_request` for what is none. */
export function parsePageRanges(text: string): readonly PageRange[] {
  const parts = text.split(",", mostRanges + 1).map((part) => part.trim());
  const ranges = parts.flatMap((part): PageRange[] => {
    const [whole, from, to] = rangeSyntax.exec(part) ?? [];
    if (whole === undefined) return [];
    const last = to !== undefined ? Number(to) : whole.includes("-") ? Infinity : Number(from);
    return Number(from) >= 1 && last >= Number(from) ? [[Number(from), last]] : [];
  });
  if (ranges.length === parts.length && parts.length <= mostRanges) return ranges;
  throw new AppError(
    "bad_request",
    `Cannot read these pages: expected numbers and ranges such as 1-3,7 or 20- (at most ${mostRanges}, the first page is 1).`,
  );
}

/** The pages of the ranges that a document of so many pages has, in the order asked for. */
export function* pagesOf(ranges: readonly PageRange[], pageCount: number): Generator<number> {
  for (const [from, to] of ranges)
    for (let page = from; page <= Math.min(to, pageCount); page += 1) yield page;
}

/** What is left of the ranges behind their first `read` pages, as text that `parsePageRanges` takes. */
export function rangesAfter(ranges: readonly PageRange[], pageCount: number, read: number): string {
  let skip = read;
  const left: string[] = [];
  for (const [from, end] of ranges) {
    const to = Math.min(end, pageCount);
    const length = Math.max(0, to - from + 1);
    const start = from + Math.min(skip, length);
    skip -= Math.min(skip, length);
    if (start <= to) left.push(start === to ? `${start}` : `${start}-${to}`);
  }
  return left.join(",");
}
