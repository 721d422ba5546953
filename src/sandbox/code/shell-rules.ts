import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";
import { parseShellWords } from "./shell-words.ts";

/** A command as argument lists, where the rules allow it; throws `forbidden` saying why not. */
export type CheckCommand = (command: string) => readonly (readonly string[])[];

const anyWord = "*";
const setting = "OPENCLAW_ALLOWED_SHELL_COMMANDS";

/** Throws `bad_request` for a pattern that would not mean what it says. */
function parsePattern(pattern: string): readonly string[] {
  const words = pattern.split(/\s+/);
  const strange = words.find((word) => word !== anyWord && !/^[\w./:@%+=^~-]+$/.test(word));
  if (strange === undefined) return words;
  const why = strange.includes("*")
    ? "a * stands for whole words only"
    : "a pattern has plain words and *, and no sign of the shell";
  throw new AppError("bad_request", `${setting}: cannot use ${JSON.stringify(pattern)}: ${why}.`);
}

/** Whether a program is meant: a path only by the same path. */
const matchesProgram = (pattern: string, program: string) =>
  pattern === program || (pattern === anyWord && !program.includes("/"));

/**
 * Word by word: `*` is any one word, and at the end any further words or none. A pattern of one word allows the program
 * with any arguments, one of several words exactly those.
 */
function matches([name = "", ...pattern]: readonly string[], [program = "", ...words]: readonly string[]) {
  if (!matchesProgram(name, program)) return false;
  if (pattern.length === 0) return true;
  const isOpen = pattern.at(-1) === anyWord;
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (isOpen ? words.length < fixed.length : words.length !== fixed.length) return false;
  return fixed.every((word, at) => word === anyWord || word === words[at]);
}

/** Reads the list of allowed commands; what it returns takes pipelines of literal words whose stages all are allowed. */
export function createShellRules(patterns: readonly string[]): CheckCommand {
  const parsed = patterns.map(parsePattern);
  const list = patterns.join(", ");
  return (command) => {
    const words = parseShellWords(command);
    if (!words.ok) {
      const why = `${words.why}. Only literal words, quotes and | are taken here`;
      throw new AppError("forbidden", `Cannot run this command: ${why}. Allowed commands: ${list}.`);
    }
    const strange = words.stages.find((stage) => !parsed.some((pattern) => matches(pattern, stage)));
    if (strange === undefined) return words.stages;
    throw new AppError(
      "forbidden",
      `Cannot run ${shown(strange.join(" "))}: it is not among the allowed commands, which are: ${list}.`,
    );
  };
}
