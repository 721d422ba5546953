import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanRead } from "../sandbox/can-files.ts";
import { shown } from "../sandbox/paths.ts";
import type { FindInLine } from "../sandbox/files/pattern.ts";
import { defineTool } from "../sandbox/tool.ts";
import { narrowWalk } from "./narrow-walk.ts";
import { watchWalk } from "./watch-walk.ts";

const mostResults = 200;
const filesAtOnce = 8;
/** Characters of a line that are searched: for a text, all that is told of one; a pattern takes more time for each. */
const searchedLength = { text: 65_536, regex: 16_384 };
const shownBefore = 80;
const shownLength = 300;

/** The part of a line around its match. */
function excerpt(line: string, at: number): string {
  const start = line.length <= shownLength ? 0 : Math.max(0, at - shownBefore);
  const part = line.slice(start, start + shownLength).trimEnd();
  return `${start > 0 ? "…" : ""}${part}${start + shownLength < line.length ? "…" : ""}`;
}

interface Found {
  readonly lines: readonly string[];
  /** How many more may match, behind what was searched of them. */
  readonly cut: number;
  /** Why the file could not be searched. */
  readonly skipped?: "binary" | "closed";
}

interface Search {
  readonly find: FindInLine;
  /** Characters of a line. */
  readonly length: number;
  readonly mostLines: number;
}

async function searchOne(read: CanRead, path: string, search: Search): Promise<Found> {
  const { find, length, mostLines } = search;
  const lines: string[] = [];
  let cut = 0;
  try {
    await read.lines(path, (text, number, left) => {
      const line = text.length > length ? text.slice(0, length) : text;
      const at = find(line);
      if (at >= 0) lines.push(`${shown(path)}:${number}: ${excerpt(line, at)}`);
      else if (left > 0 || text.length > length) cut += 1;
      return lines.length < mostLines;
    });
    return { lines, cut };
  } catch (error) {
    // One file of many: it may be gone by now, or be no text. A cancelled call is no such thing.
    if (!(error instanceof AppError)) throw error;
    return { lines: [], cut, skipped: error.code === "unsupported_media_type" ? "binary" : "closed" };
  }
}

/** Searches some files side by side and tells what was found in the order of the files. */
async function* searchAll(
  files: AsyncIterable<string>,
  search: (path: string) => Promise<Found>,
): AsyncIterable<Found> {
  const running: Promise<Found>[] = [];
  try {
    for await (const path of files) {
      if (running.length === filesAtOnce) yield* drainOne(running);
      const found = search(path);
      // It is waited for later, and may fail before that.
      found.catch(() => undefined);
      running.push(found);
    }
    while (running.length > 0) yield* drainOne(running);
  } finally {
    await Promise.allSettled(running);
  }
}

async function* drainOne(running: Promise<Found>[]): AsyncIterable<Found> {
  const first = running.shift();
  if (first !== undefined) yield await first;
}

export const searchFiles = defineTool({
  name: "search_files",
  description:
    "Find the lines of text files that contain a text (or match a regular expression), as path:line: text. Goes through all folders below `path`.",
  needs: ["read"],
  effect: () => "reads",
  input: v.object({
    pattern: v.pipe(v.string(), v.nonEmpty(), v.description("Text to find in one line.")),
    path: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("Folder or file; the workspace when left out.")),
      ".",
    ),
    regex: v.optional(
      v.pipe(
        v.boolean(),
        v.description("Take `pattern` as a regular expression (no look-around, no references to groups)."),
      ),
      false,
    ),
    ignore_case: v.optional(v.pipe(v.boolean(), v.description("Do not tell A from a.")), false),
    max_results: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(mostResults),
        v.description(`Most lines to find; ${mostResults} when left out.`),
      ),
      mostResults,
    ),
  }),
  async run({ pattern, path, regex, ignore_case, max_results }, can) {
    if (/[\r\n]/.test(pattern))
      throw new AppError(
        "bad_request",
        "Cannot search: a pattern is for one line, so it must have no line break.",
      );
    const wanted = { text: pattern, regex, ignoreCase: ignore_case };
    const { findInLine } = await import("../sandbox/files/pattern.ts");
    const find = findInLine(pattern, wanted);
    const walk = watchWalk();
    const lines: string[] = [];
    const skipped = { binary: 0, closed: 0 };
    const length = regex ? searchedLength.regex : searchedLength.text;
    let [files, cut] = [0, 0];
    // One more than is shown, to know whether there are more.
    const search = (file: string) => searchOne(can.read, file, { find, length, mostLines: max_results + 1 });
    const passOver = (count: number) => {
      files += count;
    };
    const worthwhile = narrowWalk(can.read, can.read.walk(path, walk), wanted, passOver);
    for await (const found of searchAll(worthwhile, search)) {
      files += 1;
      cut += found.cut;
      if (found.skipped !== undefined) skipped[found.skipped] += 1;
      lines.push(...found.lines);
      if (lines.length > max_results) break;
    }
    const notes = walk.notes();
    if (lines.length > max_results)
      notes.unshift(
        `[There are more than ${max_results} lines: search for something narrower, or in a folder below.]`,
      );
    if (cut > 0) notes.push(`[Lines of which only the first ${length} characters were searched: ${cut}]`);
    if (skipped.binary > 0) notes.push(`[Files left out because they are no text: ${skipped.binary}]`);
    if (skipped.closed > 0) notes.push(`[Files that could not be read: ${skipped.closed}]`);
    if (lines.length === 0) lines.push(`(Nothing found. Files looked at: ${files})`);
    return [...lines.slice(0, max_results), ...notes].join("\n");
  },
});
