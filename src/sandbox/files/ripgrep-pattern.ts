import type { LinePattern } from "./pattern.ts";
import { parsePattern, type Pattern, type Ranges } from "./pattern-syntax.ts";

/** A character that is not ASCII, or half of one, or what stands for bytes that are none. */
const beyondAscii = "[\\x80-\\xff]{1,4}";
const lastAscii = 0x7f;
const replacement = 0xfffd;
/** More than that many characters of their own are not told apart. */
const mostSingles = 4;

const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, "0")}`;
const bytesOf = (text: string) => Array.from(Buffer.from(text), hex).join("");

function isWhole(unit: number): boolean {
  return (unit < 0xd800 || unit > 0xdfff) && unit !== replacement;
}

/** The bytes that a character of a set may be. */
function bytesOfSet(ranges: Ranges): string {
  const ascii = ranges
    .filter(([low]) => low <= lastAscii)
    .map(([low, high]) => [low, Math.min(high, lastAscii)] as const)
    // No line has its own end in it, and ripgrep refuses a pattern that says so.
    .flatMap(([low, high]) =>
      low <= 10 && high >= 10
        ? ([
            [low, 9],
            [11, high],
          ] as const)
        : [[low, high] as const],
    )
    .filter(([low, high]) => low <= high)
    .map(([low, high]) => `${hex(low)}-${hex(high)}`);
  const beyond = ranges.filter(([, high]) => high > lastAscii);
  const isSingle = ([low, high]: readonly [number, number]) => low === high && isWhole(low);
  const options = [
    ...(ascii.length > 0 ? [`[${ascii.join("")}]`] : []),
    ...(beyond.length <= mostSingles && beyond.every(isSingle)
      ? beyond.map(([unit]) => bytesOf(String.fromCharCode(unit)))
      : [beyondAscii]),
  ];
  // Nothing is in an empty set; whatever stands for it finds too much at most.
  return options.length === 0 ? beyondAscii : `(?:${options.join("|")})`;
}

/** The least number of characters that a pattern takes. */
function leastLength(part: Pattern): number {
  switch (part.kind) {
    case "set":
      return 1;
    case "assert":
      return 0;
    case "sequence":
      return part.parts.reduce((sum, each) => sum + leastLength(each), 0);
    case "choice":
      return Math.min(...part.options.map(leastLength));
    case "repeat":
      return part.least * leastLength(part.body);
  }
}

/** Asserts are left out: without them a pattern finds more, which is then looked at. */
function translate(part: Pattern): string {
  switch (part.kind) {
    case "set":
      return bytesOfSet(part.ranges);
    case "assert":
      return "";
    case "sequence":
      return part.parts.map(translate).join("");
    case "choice":
      return `(?:${part.options.map(translate).join("|")})`;
    case "repeat": {
      const most = part.most === Number.POSITIVE_INFINITY ? "" : part.most;
      return `(?:${translate(part.body)}){${part.least},${most}}`;
    }
  }
}

/** What else becomes a letter of ASCII when it is made small. */
const alsoSmall: Readonly<Record<string, string>> = { i: "\u0130", k: "\u212a" };

function translateText(text: string, ignoreCase: boolean): string | undefined {
  if (!text.isWellFormed() || text.includes("\0") || text.includes("\ufffd")) return undefined;
  if (!ignoreCase) return bytesOf(text);
  // Beyond ASCII, what is the other case is a matter of opinion.
  if (/[^\x01-\x7f]/.test(text)) return undefined;
  const both = (letter: string) => {
    const also = alsoSmall[letter];
    const cases = `[${bytesOf(letter)}${bytesOf(letter.toUpperCase())}]`;
    return also === undefined ? cases : `(?:${cases}|${bytesOf(also)})`;
  };
  return Array.from(text.toLowerCase(), both).join("");
}

/**
 * A pattern of ripgrep, over bytes, that matches in every line that ours matches in, and maybe in more; undefined where
 * there is none that says much. Throws `bad_request` for what is no pattern.
 */
export function ripgrepPattern({ text, regex, ignoreCase }: LinePattern): string | undefined {
  if (!regex) return translateText(text, ignoreCase);
  const pattern = parsePattern(text, ignoreCase);
  return leastLength(pattern) === 0 ? undefined : translate(pattern);
}
