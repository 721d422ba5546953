import type { AnyTool } from "./tool.ts";

/** Longer ones are not remembered: nobody reads them before allowing them. */
const longestPattern = 4000;

/** JSON with its names in order, so that two spellings of one value are one text. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, each]) => [name, canonical(each)]));
}

/** What the tool itself says; where it fails the call is not remembered: a check that fails counts as "no". */
function saidBy(tool: AnyTool, input: Readonly<Record<string, unknown>>): string | false | undefined {
  try {
    return tool.pattern?.(input);
  } catch {
    return false;
  }
}

/**
 * What a person allows or refuses who decides about more than one call: JSON text, a string where the tool says a
 * pattern, else the object of exactly these arguments, so that neither can be taken for the other. Undefined for a call
 * that is not remembered, or is too long to be.
 */
export function callPattern(tool: AnyTool, input: Readonly<Record<string, unknown>>): string | undefined {
  const said = saidBy(tool, input);
  if (said === false) return undefined;
  const text = JSON.stringify(said || canonical(input));
  return text.length > longestPattern ? undefined : text;
}

/** The pattern as people read it; undefined for one that is exactly the arguments of its call. */
export function patternText(pattern: string): string | undefined {
  const said: unknown = JSON.parse(pattern);
  return typeof said === "string" ? said : undefined;
}
