/** Programs that only read and print, whatever their options: no option of theirs writes a file or runs a program. */
const readers = new Set(
  "basename cat cmp comm cut dirname echo grep head ls nl paste printf pwd rev seq stat tail tr true wc".split(
    " ",
  ),
);

/**
 * Programs of several commands, with those that may be remembered by name: what they run by themselves is what the
 * project says, never words of the call. Two words where the second one chooses what is run (`npm run build`).
 */
const commands: Readonly<Record<string, readonly string[]>> = {
  git: ["add", "blame", "branch", "diff", "log", "show", "status"],
  npm: ["ci", "test", "run *"],
  pnpm: ["test", "run *"],
  yarn: ["test", "run *"],
  bun: ["test", "run *"],
  cargo: ["build", "check", "clippy", "fmt", "test"],
  go: ["build", "vet", "test", "fmt"],
};

const isPlain = (word: string) => /^\w[\w.:-]*$/.test(word);
const isOption = (word: string) => word.startsWith("-");

/** A stage in the words that are remembered of it. What follows them is free, but an option changes what a command does. */
function stagePattern([program = "", ...words]: readonly string[]): string | undefined {
  if (readers.has(program)) return program;
  const known = Object.hasOwn(commands, program) ? commands[program] : undefined;
  if (known === undefined || words.some(isOption)) return undefined;
  const [first = "", second = ""] = words;
  if (known.includes(first)) return `${program} ${first}`;
  return known.includes(`${first} *`) && isPlain(second) ? `${program} ${first} ${second}` : undefined;
}

/**
 * The pattern of a pipeline of literal words: the program of each stage, with its command where it has several, such as
 * `git log | head`. Undefined where a stage is anything else (a wrapper, an interpreter, a path, what changes files by
 * its operands): such a call is remembered only word for word.
 */
export function commandPattern(stages: readonly (readonly string[])[]): string | undefined {
  const patterns = stages.map(stagePattern);
  return patterns.length === 0 || patterns.includes(undefined) ? undefined : patterns.join(" | ");
}
