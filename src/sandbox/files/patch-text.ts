import type { StructuredPatch, StructuredPatchHunk } from "diff";
import { AppError } from "../../errors.ts";

/** Lines of context that may differ, as the file may have moved on since the patch was made. */
const fuzz = 2;
/** Lines that one file's hunks may be compared with; a search that takes longer would hold up everyone else. */
const mostComparisons = 5_000_000;
const shownLines = 12;
const shownLength = 160;

const cut = (line: string) => (line.length > shownLength ? `${line.slice(0, shownLength)}…` : line);

/** Where the hunk's old lines begin in the file, judging by the first of them that stands in it, nearest to where it says. */
function nearest(lines: readonly string[], hunk: StructuredPatchHunk): number {
  const old = hunk.lines.filter((line) => !/^[+\\]/.test(line)).map((line) => line.slice(1).trim());
  const places = new Map<string, number>();
  const distance = (at: number) => Math.abs(at - hunk.oldStart + 1);
  for (const [at, line] of lines.entries()) {
    const key = line.trim();
    const best = places.get(key);
    if (best === undefined || distance(at) < distance(best)) places.set(key, at);
  }
  for (const [at, line] of old.entries()) {
    const place = line === "" ? undefined : places.get(line);
    if (place !== undefined) return Math.max(0, place - at);
  }
  return Math.max(0, Math.min(hunk.oldStart - 1, lines.length - shownLines));
}

function hunkFailure(
  text: string,
  hunks: readonly StructuredPatchHunk[],
  at: number,
  path: string,
): AppError {
  const hunk = hunks[at] ?? { oldStart: 1, oldLines: 0, newStart: 1, newLines: 0, lines: [] };
  const { oldStart, oldLines, newStart, newLines } = hunk;
  const lines = text.split("\n");
  const start = nearest(lines, hunk);
  const there = lines
    .slice(start, start + shownLines)
    .map((line, i) => `${start + i + 1}: ${cut(line.trimEnd())}`);
  const below = at === 0 ? "" : ` below those of hunk ${at} (hunks must be in the order of the file)`;
  const wanted = hunk.lines.slice(0, shownLines).map((line) => cut(line.trimEnd()));
  return new AppError(
    "bad_request",
    [
      `Cannot apply hunk ${at + 1} of ${hunks.length} (@@ -${oldStart},${oldLines} +${newStart},${newLines} @@) to ${path}: its lines do not stand there${below}. Nothing was changed.`,
      "The hunk begins:",
      ...wanted,
      "The file has, as the nearest lines:",
      ...there,
    ].join("\n"),
  );
}

/** How many lines of the file a hunk passes: of those behind its last change, others may come. */
function passedLines({ lines, oldLines }: StructuredPatchHunk): number {
  const signs = lines.map((line) => line.charAt(0)).filter((sign) => sign !== "\\");
  return oldLines - (signs.length - 1 - signs.findLastIndex((sign) => sign === "-" || sign === "+"));
}

/** Whether `split` tells an empty piece behind the last line. */
const endsLine = (text: string) => text === "" || text.endsWith("\n");

/** How many lines, as `split` tells them, the text has once each of the hunks is applied to its own part of it. */
function linesAfter(text: string, hunks: readonly StructuredPatchHunk[]): number {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  // The library sees to the line break at the end, which the last hunk may take away or give.
  const last = hunks.at(-1)?.lines ?? [];
  const marks = (sign: string) =>
    last.some((line, at) => line.startsWith("\\") && last[at - 1]?.startsWith(sign));
  const [takes, gives] = [marks("+"), marks("-")];
  const end = takes && !gives && endsLine(text) ? -1 : gives && !takes && !endsLine(text) ? 1 : 0;
  return text.split("\n").length + end + count("+") - count("-");
}

/** A text with the hunks of a patch applied. Throws `bad_request` that names the hunk which does not fit, and the lines that are there. */
export async function patchText(text: string, patch: StructuredPatch, path: string): Promise<string> {
  const { applyPatch } = await import("diff");
  const mark =
    text.startsWith("\uFEFF") && !patch.hunks[0]?.lines[0]?.startsWith("\uFEFF", 1) ? "\uFEFF" : "";
  const plain = text.slice(mark.length);
  const last = plain.split("\n").length + (endsLine(plain) ? 0 : 1);
  // The library searches outwards from where a hunk says it belongs, however far beyond the end that is, or above the
  // hunk before it.
  let free = 1;
  const hunks = patch.hunks.map((hunk) => {
    const oldStart = Math.max(free, Math.min(hunk.oldStart, last));
    free = oldStart + passedLines(hunk);
    return { ...hunk, oldStart };
  });
  let comparisons = 0;
  const compareLine = (_number: number, line: string, _operation: string, wanted: string) => {
    comparisons += 1;
    if (comparisons > mostComparisons) {
      throw new AppError(
        "bad_request",
        `Cannot apply the patch to ${path}: finding where it belongs takes too long. Make the file anew.`,
      );
    }
    // The second: of a text that has both kinds of line ends; the library sees to the others.
    return line === wanted || (line?.endsWith("\r") && line.slice(0, -1) === wanted);
  };
  const apply = (count: number) => {
    const some = hunks.slice(0, count);
    const applied = applyPatch(plain, { ...patch, hunks: some }, { fuzzFactor: fuzz, compareLine });
    // Where one hunk got in front of another for all that, the lines between them are there twice.
    const whole = applied !== false && applied.split("\n").length === linesAfter(plain, some);
    return whole && applied;
  };
  const applied = apply(hunks.length);
  if (applied !== false) return mark + applied;
  // The first hunk that does not fit, by halves.
  let [fits, fails] = [0, hunks.length];
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    if (apply(middle) === false) fails = middle;
    else fits = middle;
  }
  throw hunkFailure(plain, patch.hunks, fails - 1, path);
}
