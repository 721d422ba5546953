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
  const wanted = hunk.lines.slice(0, shownLines).map((line) => cut(line.trimEnd()));
  return new AppError(
    "bad_request",
    [
      `Cannot apply hunk ${at + 1} of ${hunks.length} (@@ -${oldStart},${oldLines} +${newStart},${newLines} @@) to ${path}: its lines do not stand there. Nothing was changed.`,
      "The hunk begins:",
      ...wanted,
      "The file has, as the nearest lines:",
      ...there,
    ].join("\n"),
  );
}

/** A text with the hunks of a patch applied. Throws `bad_request` that names the hunk which does not fit, and the lines that are there. */
export async function patchText(text: string, patch: StructuredPatch, path: string): Promise<string> {
  const { applyPatch } = await import("diff");
  const mark =
    text.startsWith("\uFEFF") && !patch.hunks[0]?.lines[0]?.startsWith("\uFEFF", 1) ? "\uFEFF" : "";
  const plain = text.slice(mark.length);
  const last = plain.split("\n").length + 1;
  // The library searches outwards from where a hunk says it belongs, however far beyond the end that is.
  const hunks = patch.hunks.map((hunk) => ({
    ...hunk,
    oldStart: Math.min(Math.max(hunk.oldStart, 1), last),
  }));
  let comparisons = 0;
  const compareLine = (_number: number, line: string, _operation: string, wanted: string) => {
    comparisons += 1;
    if (comparisons > mostComparisons) {
      throw new AppError(
        "bad_request",
        `Cannot apply the patch to ${path}: finding where it belongs takes too long. Make the file anew.`,
      );
    }
    return line === wanted;
  };
  const apply = (count: number) =>
    applyPatch(plain, { ...patch, hunks: hunks.slice(0, count) }, { fuzzFactor: fuzz, compareLine });
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
