import { AppError } from "../../errors.ts";
import { type GitOption, type GitSubcommand, optionsOf } from "./git-options.ts";
import { shown } from "../paths.ts";
import type { Effect } from "../tool.ts";

/** Arguments of a call that were understood word by word; nothing of them goes to git unread. */
export interface GitArguments {
  readonly subcommand: GitSubcommand;
  /** Each as git is told it, long where it has a long name. */
  readonly options: readonly { readonly option: GitOption; readonly value?: string }[];
  readonly operands: readonly string[];
  /** What stood after `--`. */
  readonly paths?: readonly string[];
}

const mostArguments = 500;
const longestArgument = 65_536;

type Refuse = (why: string) => AppError;

function checkValue(option: GitOption, value: string, refuse: Refuse): string {
  const { name, kind } = option;
  if (Array.isArray(kind)) {
    if (kind.includes(value)) return value;
    throw refuse(`${name} takes one of ${kind.join(", ")}, and not ${shown(value)}`);
  }
  if (value.startsWith("-")) throw refuse(`the value of ${name} must not begin with "-"`);
  if (kind === "number" && !/^\d{1,9}$/.test(value))
    throw refuse(`${name} takes a number, and not ${shown(value)}`);
  if (kind === "revision" && !/^[^\s\p{Cc}]+$/u.test(value))
    throw refuse(`${name} takes a name of a commit, branch or remote, and not ${shown(value)}`);
  return value;
}

/** Reads the argument list of a subcommand. Throws `forbidden` for what the table does not have, with what it has. */
export function readGitArguments(subcommand: GitSubcommand, words: readonly string[]): GitArguments {
  const known = optionsOf(subcommand);
  const refuse: Refuse = (why) => new AppError("bad_request", `Cannot run git ${subcommand}: ${why}.`);
  const unknown = (word: string) =>
    new AppError(
      "forbidden",
      `Cannot run git ${subcommand}: the option ${shown(word)} is not granted. These are: ${[...known.keys()].join(" ")}.`,
    );
  if (words.length > mostArguments) throw refuse(`it has more than ${mostArguments} arguments`);
  if (words.some((word) => word.length > longestArgument || word.includes("\0")))
    throw refuse("an argument is too long or holds a NUL character");

  const options: { option: GitOption; value?: string }[] = [];
  const operands: string[] = [];
  const end = words.indexOf("--");
  const before = [...(end < 0 ? words : words.slice(0, end))];

  const take = (option: GitOption, attached: string | undefined, spelled: string) => {
    if (option.takes === "nothing") {
      if (attached !== undefined) throw refuse(`${spelled} takes no value`);
      return options.push({ option });
    }
    const value = attached ?? (option.takes === "value" ? before.shift() : undefined);
    if (value === undefined && option.takes === "value") throw refuse(`${spelled} needs a value`);
    return options.push({ option, ...(value !== undefined && { value: checkValue(option, value, refuse) }) });
  };

  /** `-am text`: each letter is an option, and the first that takes a value takes the rest. */
  function takeLetters(word: string) {
    for (let at = 1; at < word.length; at += 1) {
      const spelled = `-${word[at]}`;
      const option = known.get(spelled);
      if (option === undefined) throw unknown(word);
      const rest = word.slice(at + 1);
      if (option.takes === "nothing") take(option, undefined, spelled);
      else return take(option, rest === "" ? undefined : rest.replace(/^=/, ""), spelled);
    }
    return undefined;
  }

  for (let word = before.shift(); word !== undefined; word = before.shift()) {
    if (/^-\d{1,9}$/.test(word) && known.has("--max-count")) {
      take({ name: "--max-count", takes: "value", kind: "number" }, word.slice(1), word);
    } else if (word.startsWith("--")) {
      const [, spelled = word, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
      const option = known.get(spelled);
      if (option === undefined) throw unknown(spelled);
      take(option, value, spelled);
    } else if (word.startsWith("-")) {
      if (word === "-") throw refuse('"-" alone is not understood; name the branch, or write @{-1}');
      takeLetters(word);
    } else operands.push(word);
  }
  return { subcommand, options, operands, ...(end >= 0 && { paths: words.slice(end + 1) }) };
}

/** The options as words for git, every value attached or after its own option. */
export const optionWords = ({ options }: GitArguments): readonly string[] =>
  options.flatMap(({ option: { name, takes }, value }) => {
    if (value === undefined) return [name];
    if (name.startsWith("--")) return [`${name}=${value}`];
    return takes === "optional" ? [`${name}${value}`] : [name, value];
  });

const reading: readonly GitSubcommand[] = ["status", "diff", "log", "show", "blame"];
const reaching: readonly GitSubcommand[] = ["clone", "fetch", "pull", "push"];
/** Options of `branch` that only list. */
const listing =
  /^(?:-[air]|--(?:all|remotes|list|show-current|contains|no-contains|merged|no-merged|points-at|sort|format|ignore-case|verbose|quiet))$/;

/** What a call does. Throws like `readGitArguments` for what cannot be told. */
export function gitEffect({ subcommand, options, operands }: GitArguments): Effect {
  if (reading.includes(subcommand)) return "reads";
  if (reaching.includes(subcommand)) return "reaches_out";
  if (subcommand === "stash") return operands[0] === "list" || operands[0] === "show" ? "reads" : "changes";
  if (subcommand !== "branch") return "changes";
  const asked = options.map(({ option }) => option.name);
  const lists = asked.every((name) => listing.test(name));
  // A name without `--list` makes a branch of that name.
  return lists && (operands.length === 0 || asked.includes("--list")) ? "reads" : "changes";
}
