import { AppError } from "../../errors.ts";
import { type Pattern, parsePattern, type Ranges, wordRanges } from "./pattern-syntax.ts";

/** Where a line matches (near there, for a pattern), or -1. */
export type FindInLine = (line: string) => number;

type Step =
  | { readonly kind: "set"; readonly ranges: Ranges; readonly next: number }
  | { readonly kind: "assert"; readonly what: "start" | "end" | "word" | "not_word"; readonly next: number }
  | { readonly kind: "split"; next: number; readonly other: number }
  | { readonly kind: "match" };

const mostSteps = 200;
const mostParts = 10_000;
const mostStates = 1000;

/** Lays a pattern out as steps, from its end to its beginning; step 0 is the match. */
function layOut(pattern: Pattern): { steps: readonly Step[]; entry: number } {
  const steps: Step[] = [{ kind: "match" }];
  let parts = 0;
  const tooBig = () =>
    new AppError(
      "bad_request",
      "Cannot use the pattern: it is too big. Use a shorter one, or smaller numbers in { }.",
    );
  const add = (step: Step): number => {
    if (steps.length === mostSteps) throw tooBig();
    return steps.push(step) - 1;
  };
  const put = (part: Pattern, next: number): number => {
    // Counted on its own: an empty part adds no step, however often it is repeated.
    if ((parts += 1) > mostParts) throw tooBig();
    switch (part.kind) {
      case "set":
        return add({ kind: "set", ranges: part.ranges, next });
      case "assert":
        return add({ kind: "assert", what: part.what, next });
      case "sequence":
        return part.parts.reduceRight((after, each) => put(each, after), next);
      case "choice":
        return part.options
          .map((each) => put(each, next))
          .reduce((other, each) => add({ kind: "split", next: each, other }));
      case "repeat":
        return repeat(part, next);
    }
  };
  const repeat = ({ body, least, most }: Extract<Pattern, { kind: "repeat" }>, next: number): number => {
    let entry = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Step = { kind: "split", next: 0, other: next };
      entry = add(loop);
      loop.next = put(body, entry);
    } else {
      for (let n = least; n < most; n += 1)
        entry = add({ kind: "split", next: put(body, entry), other: next });
    }
    for (let n = 0; n < least; n += 1) entry = put(body, entry);
    return entry;
  };
  const entry = put(pattern, 0);
  return { steps, entry };
}

const holds = (ranges: Ranges, unit: number) => ranges.some(([low, high]) => unit >= low && unit <= high);

/** Characters that no part of the pattern tells apart share a class. */
function classify(steps: readonly Step[]) {
  const ranges = [...wordRanges, ...steps.flatMap((step) => (step.kind === "set" ? step.ranges : []))];
  const starts = [...new Set([0, ...ranges.flatMap(([low, high]) => [low, high + 1])])].sort((a, b) => a - b);
  const search = (unit: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const ascii = Uint16Array.from({ length: 128 }, (_, unit) => search(unit));
  return {
    of: (unit: number): number => ascii[unit] ?? search(unit),
    /** Which classes lie in the ranges. */
    within: (ranges: Ranges): readonly boolean[] => starts.map((unit) => holds(ranges, unit)),
  };
}

/** Where a reader of the line may be, before the character at hand is looked at. */
interface State {
  readonly at: Uint16Array;
  readonly afterWord: boolean;
  readonly first: boolean;
  readonly next: (State | "match" | undefined)[];
}

/**
 * Matches all ways through the pattern at once, so the time grows with the line and never explodes, whatever pattern a
 * model writes. Sets of ways are remembered by character class, at most {@link mostStates} of them.
 */
function compile(source: string, ignoreCase: boolean): FindInLine {
  const { steps, entry } = layOut(parsePattern(source, ignoreCase));
  const classOf = classify(steps);
  const isWord = classOf.within(wordRanges);
  const taken = steps.map((step) => (step.kind === "set" ? classOf.within(step.ranges) : []));
  const states = new Map<string, State>();

  const stateOf = (at: Uint16Array, afterWord: boolean, first: boolean): State => {
    const key = `${afterWord ? "w" : "-"}${first ? "^" : "-"}${String.fromCharCode(...at)}`;
    const known = states.get(key);
    if (known !== undefined) return known;
    if (states.size === mostStates) states.clear();
    const made: State = { at, afterWord, first, next: [] };
    states.set(key, made);
    return made;
  };

  /** The steps that can be reached without a character; `kind` is the class of the one that follows, undefined at the end. */
  function reach({ at, afterWord, first }: State, kind: number | undefined): Set<number> {
    const beforeWord = kind !== undefined && isWord[kind] === true;
    const passes = {
      start: first,
      end: kind === undefined,
      word: afterWord !== beforeWord,
      not_word: afterWord === beforeWord,
    };
    const reached = new Set(at);
    // A set may grow while it is gone through: what is added is still visited.
    for (const index of reached) {
      const step = steps[index];
      if (step?.kind === "split") reached.add(step.next).add(step.other);
      if (step?.kind === "assert" && passes[step.what]) reached.add(step.next);
    }
    return reached;
  }

  function advance(state: State, kind: number): State | "match" {
    const reached = reach(state, kind);
    if (reached.has(0)) return "match";
    const at = new Set([entry]);
    for (const index of reached) {
      const step = steps[index];
      if (step?.kind === "set" && taken[index]?.[kind]) at.add(step.next);
    }
    return stateOf(Uint16Array.from(at).sort(), isWord[kind] === true, false);
  }

  return (line) => {
    let state = stateOf(Uint16Array.of(entry), false, true);
    for (let index = 0; index < line.length; index += 1) {
      const kind = classOf.of(line.charCodeAt(index));
      const next = (state.next[kind] ??= advance(state, kind));
      if (next === "match") return index;
      state = next;
    }
    return reach(state, undefined).has(0) ? line.length : -1;
  };
}

export interface PatternOptions {
  /** `text` is taken as it stands unless this is set. */
  readonly regex: boolean;
  readonly ignoreCase: boolean;
}

/** What is looked for in one line. */
export interface LinePattern extends PatternOptions {
  readonly text: string;
}

/** Makes the search for a text or a pattern in one line. Throws `bad_request` for a pattern that cannot be used. */
export function findInLine(text: string, { regex, ignoreCase }: PatternOptions): FindInLine {
  if (regex) return compile(text, ignoreCase);
  if (!ignoreCase) return (line) => line.indexOf(text);
  const lower = text.toLowerCase();
  return (line) => line.toLowerCase().indexOf(lower);
}
