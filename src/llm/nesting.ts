import { parseJson } from "./foreign-json.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Where the string that begins at `from` ends, or the end of the text when it does not. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let before = at - 1;
    while (json.charCodeAt(before) === backslash) before--;
    // An even number of backslashes escape each other and leave the quote alone.
    if ((at - before) % 2 === 1) return at;
  }
  return json.length;
}

/** Whether a JSON text nests objects and lists deeper than `limit`; asked before it is parsed, by code that recurses. */
export function isNestedDeeper(json: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === quote) at = endOfString(json, at);
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > limit) return true;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return false;
}

const mostLevels = 100;

/** The value of a JSON text from outside, or undefined when it is none or nests deeper than a hundred levels. */
export function parseShallow(text: string): unknown {
  return isNestedDeeper(text, mostLevels) ? undefined : parseJson(text);
}
