/** A pipeline of literal words, each stage an argument list; or why the command is no such thing. */
export type ShellWords =
  | { readonly ok: true; readonly stages: readonly (readonly string[])[] }
  | { readonly ok: false; readonly why: string };

/** Longest pipeline. */
const mostStages = 20;

/** Words that begin something else than a command where they stand first and unquoted, in `dash` or in `bash`. */
const reserved = new Set(
  "! { } [[ ]] case coproc do done elif else esac fi for function if in select then time until while".split(
    " ",
  ),
);

/** What each character would do outside of quotes. */
const meanings: Readonly<Record<string, string>> = {
  $: "expands variables",
  "`": "runs another command",
  "*": "expands to file names",
  "?": "expands to file names",
  "[": "expands to file names",
  "{": "groups or expands",
  "}": "groups or expands",
  ";": "begins another command",
  "&": "begins another command",
  "(": "begins a subshell",
  ")": "ends a subshell",
  "<": "redirects",
  ">": "redirects",
  "#": "begins a comment",
  "!": "negates or recalls a command",
  "\n": "begins another command",
};

/** Control characters, of which shells and terminals differ in what they make; a line break is looked at by itself. */
const control = /[\0-\x08\x0b-\x1f\x7f]/;

/** Thrown inside of the lexer alone. */
class NotLiteral extends Error {}

const quoteIt = (character: string) => {
  const name = character === "\n" ? "a line break" : character;
  return new NotLiteral(
    `${name} ${meanings[character]}; put it in single quotes to mean the character itself`,
  );
};

interface Word {
  readonly text: string;
  /** Nothing of it is quoted. */
  readonly isBare: boolean;
  /** It has a `=` that is not quoted. */
  readonly assigns: boolean;
}

/** Reads the text of one command from its beginning to its end. */
function createReader(command: string) {
  let at = 0;

  function singleQuoted(): string {
    const end = command.indexOf("'", at);
    if (end < 0) throw new NotLiteral("a ' has no end");
    const text = command.slice(at, end);
    at = end + 1;
    return text;
  }

  function doubleQuoted(): string {
    let text = "";
    while (at < command.length) {
      const character = command.charAt(at++);
      if (character === '"') return text;
      if (character === "$" || character === "`") throw quoteIt(character);
      if (character !== "\\") {
        text += character;
        continue;
      }
      const next = command.charAt(at);
      if (next === "\n") throw new NotLiteral("a \\ joins two lines");
      // Only before these it means anything in double quotes.
      if ('$`"\\'.includes(next) && next !== "") at += 1;
      text += '$`"\\'.includes(next) ? next : character;
    }
    throw new NotLiteral('a " has no end');
  }

  function escaped(): string {
    const character = command.charAt(at++);
    if (character === "") throw new NotLiteral("a \\ at its end joins it to nothing");
    if (character === "\n") throw new NotLiteral("a \\ joins two lines");
    return character;
  }

  function word(): Word {
    let text = "";
    let isBare = true;
    let assigns = false;
    const start = at;
    while (at < command.length) {
      const character = command.charAt(at);
      if (character === " " || character === "\t" || character === "|") break;
      at += 1;
      if (character === "'" || character === '"' || character === "\\") {
        isBare = false;
        text += character === "'" ? singleQuoted() : character === '"' ? doubleQuoted() : escaped();
        continue;
      }
      if (Object.hasOwn(meanings, character)) throw quoteIt(character);
      // Elsewhere, as in HEAD~1, it is a character like others.
      if (character === "~" && (at - 1 === start || "=:".includes(command.charAt(at - 2)))) {
        throw new NotLiteral("~ expands to a home folder; write the path, or put it in single quotes");
      }
      if (character === "=") assigns = true;
      text += character;
    }
    return { text, isBare, assigns };
  }

  /** The words up to the next `|` or the end. */
  function stage(): Word[] {
    const words: Word[] = [];
    for (; at < command.length;) {
      const character = command.charAt(at);
      if (character === "|") break;
      if (character === " " || character === "\t") at += 1;
      else words.push(word());
    }
    return words;
  }

  return {
    stage,
    /** Steps over a `|`; false at the end. */
    goOn: () => at < command.length && command.charAt(at++) === "|",
  };
}

/** The words of a stage as a program and its arguments. */
function literalStage(words: readonly Word[]): string[] {
  const [program] = words;
  if (program === undefined) throw new NotLiteral("it has no command, or a | has none before or behind it");
  if (program.assigns) throw new NotLiteral(`${program.text} sets a variable`);
  if (program.text === "") throw new NotLiteral("the name of a command is empty");
  if (program.isBare && program.text.startsWith("%"))
    throw new NotLiteral(`${program.text} names a job of the shell`);
  if (program.isBare && reserved.has(program.text)) {
    throw new NotLiteral(`${program.text} is a word of the shell's language`);
  }
  return words.map(({ text }) => text);
}

/**
 * Reads a shell command that is nothing but a pipeline of literal words: words, single and double quotes, backslash and
 * `|`. What means more than that to a shell is refused. A command that is accepted means to `sh` exactly the words that
 * are returned; nothing is expanded.
 */
export function parseShellWords(command: string): ShellWords {
  if (control.test(command)) return { ok: false, why: "it has control characters" };
  if (!command.isWellFormed()) return { ok: false, why: "it is no valid Unicode" };
  const reader = createReader(command);
  try {
    const stages: string[][] = [];
    do {
      if (stages.length === mostStages) throw new NotLiteral(`it has more than ${mostStages} stages`);
      stages.push(literalStage(reader.stage()));
    } while (reader.goOn());
    return { ok: true, stages };
  } catch (error) {
    if (error instanceof NotLiteral) return { ok: false, why: error.message };
    throw error;
  }
}
