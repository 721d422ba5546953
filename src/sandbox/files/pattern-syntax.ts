import { AppError } from "../../errors.ts";

/** Sorted, disjoint, inclusive ranges of UTF-16 code units. */
export type Ranges = readonly (readonly [number, number])[];

/** A pattern as a tree: the part of JavaScript's syntax that can be matched in one pass. */
export type Pattern =
  | { readonly kind: "set"; readonly ranges: Ranges }
  | { readonly kind: "assert"; readonly what: "start" | "end" | "word" | "not_word" }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "choice"; readonly options: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly body: Pattern; readonly least: number; readonly most: number };

const longestPattern = 1000;
const deepestGroup = 50;
const lastUnit = 0xffff;

export const wordRanges: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

const spaces = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff";

function merged(ranges: Ranges): Ranges {
  const found: [number, number][] = [];
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else found.push([low, high]);
  }
  return found;
}

function allBut(ranges: Ranges): Ranges {
  const found: [number, number][] = [];
  let next = 0;
  for (const [low, high] of merged(ranges)) {
    if (low > next) found.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= lastUnit) found.push([next, lastUnit]);
  return found;
}

const single = (text: string): Ranges => Array.from(text, (c) => [c.charCodeAt(0), c.charCodeAt(0)] as const);
const spaceRanges = merged([...single(spaces), [0x2000, 0x200a]]);
const digitRanges: Ranges = [[0x30, 0x39]];

const classes: Readonly<Record<string, Ranges>> = {
  d: digitRanges,
  D: allBut(digitRanges),
  w: wordRanges,
  W: allBut(wordRanges),
  s: spaceRanges,
  S: allBut(spaceRanges),
};
const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", 0: "\0" };

/** Both cases of letters: all of ASCII, and single letters beyond. */
function bothCases(ranges: Ranges): Ranges {
  const shift = (from: number, to: number, by: number): Ranges =>
    ranges
      .map(([low, high]) => [Math.max(low, from), Math.min(high, to)] as const)
      .filter(([low, high]) => low <= high)
      .map(([low, high]) => [low + by, high + by] as const);
  const beyond = ranges
    .filter(([low, high]) => low === high && low > 0x7f)
    .flatMap(([unit]) => [String.fromCharCode(unit).toLowerCase(), String.fromCharCode(unit).toUpperCase()])
    .filter((text) => text.length === 1 && text.charCodeAt(0) > 0x7f);
  return merged([...ranges, ...shift(0x41, 0x5a, 32), ...shift(0x61, 0x7a, -32), ...single(beyond.join(""))]);
}

/** Reads a pattern. Throws `bad_request` for what is no pattern, and for what cannot be matched in one pass. */
export function parsePattern(source: string, ignoreCase: boolean): Pattern {
  let at = 0;
  const refuse = (why: string) =>
    new AppError("bad_request", `Cannot use the pattern at character ${at + 1}: ${why}.`);
  const peek = () => source[at];
  const eat = (text: string): boolean => {
    if (!source.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };
  const set = (ranges: Ranges, negated = false): Pattern => {
    const folded = ignoreCase ? bothCases(merged(ranges)) : merged(ranges);
    return { kind: "set", ranges: negated ? allBut(folded) : folded };
  };

  function hex(digits: number): Ranges {
    const text = source.slice(at, at + digits);
    if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(text))
      throw refuse(`${digits} hexadecimal digits were expected`);
    at += digits;
    return single(String.fromCharCode(Number.parseInt(text, 16)));
  }

  /** What follows a backslash, as a set of characters. */
  function escaped(): Ranges {
    const letter = source[at];
    if (letter === undefined) throw refuse("it ends with a backslash");
    at += 1;
    const known = classes[letter] ?? (escapes[letter] === undefined ? undefined : single(escapes[letter]));
    if (known !== undefined) return known;
    if (letter === "x") return hex(2);
    if (letter === "u") return hex(4);
    if (/[1-9k]/.test(letter)) throw refuse("references to groups are not supported");
    if (/[a-zA-Z]/.test(letter)) throw refuse(`\\${letter} is not supported`);
    return single(letter);
  }

  function classMember(): Ranges {
    if (eat("\\")) return eat("b") ? single("\b") : escaped();
    const unit = source[at];
    if (unit === undefined) throw refuse("a [ is not closed");
    at += 1;
    return [[unit.charCodeAt(0), unit.charCodeAt(0)]];
  }

  function characterClass(): Pattern {
    const negated = eat("^");
    const ranges: (readonly [number, number])[] = [];
    while (!eat("]")) {
      const low = classMember();
      if (peek() !== "-" || source[at + 1] === "]" || source[at + 1] === undefined) {
        ranges.push(...low);
        continue;
      }
      at += 1;
      const high = classMember();
      const [from, to] = [low[0]?.[0], high[0]?.[0]];
      const plain = low.length === 1 && high.length === 1 && from === low[0]?.[1] && to === high[0]?.[1];
      if (!plain || from === undefined || to === undefined || from > to)
        throw refuse("a range in [ ] is not in order");
      ranges.push([from, to]);
    }
    return set(ranges, negated);
  }

  function group(depth: number): Pattern {
    if (depth > deepestGroup) throw refuse("its groups are nested too deeply");
    if (eat("?") && !eat(":"))
      throw refuse("only ( ) and (?: ) groups are supported, no look-around and no names");
    const body = choice(depth);
    if (!eat(")")) throw refuse("a ( is not closed");
    return body;
  }

  function atom(depth: number): Pattern {
    if (eat("(")) return group(depth + 1);
    if (eat("[")) return characterClass();
    if (eat("^")) return { kind: "assert", what: "start" };
    if (eat("$")) return { kind: "assert", what: "end" };
    if (eat(".")) return set(single("\n\r\u2028\u2029"), true);
    if (eat("\\b")) return { kind: "assert", what: "word" };
    if (eat("\\B")) return { kind: "assert", what: "not_word" };
    if (eat("\\")) return set(escaped());
    if (/[*+?]/.test(peek() ?? "")) throw refuse("there is nothing to repeat");
    const unit = source.charCodeAt(at);
    at += 1;
    return set([[unit, unit]]);
  }

  function count(): readonly [number, number] | undefined {
    if (eat("*")) return [0, Number.POSITIVE_INFINITY];
    if (eat("+")) return [1, Number.POSITIVE_INFINITY];
    if (eat("?")) return [0, 1];
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(source.slice(at));
    if (braces === null) return undefined;
    at += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === undefined ? least : braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY;
    if (least > most) throw refuse("the numbers in { } are not in order");
    return [least, most];
  }

  function sequence(depth: number): Pattern {
    const parts: Pattern[] = [];
    while (at < source.length && peek() !== "|" && peek() !== ")") {
      const body = atom(depth);
      const times = count();
      if (times === undefined) {
        parts.push(body);
        continue;
      }
      if (body.kind === "assert") throw refuse("there is nothing to repeat");
      // A lazy repetition finds the same lines.
      eat("?");
      parts.push({ kind: "repeat", body, least: times[0], most: times[1] });
    }
    return { kind: "sequence", parts };
  }

  function choice(depth: number): Pattern {
    const options = [sequence(depth)];
    while (eat("|")) options.push(sequence(depth));
    return { kind: "choice", options };
  }

  if (source.length > longestPattern) throw refuse(`it is longer than ${longestPattern} characters`);
  const pattern = choice(0);
  if (at < source.length) throw refuse("a ) has no (");
  return pattern;
}
