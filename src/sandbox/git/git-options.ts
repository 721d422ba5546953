/** What an option takes: nothing, a value, or one only when it is attached (`--stat=80`, `-M90`). */
export interface GitOption {
  /** As git is told it. */
  readonly name: string;
  readonly takes: "nothing" | "value" | "optional";
  /** `revision`: what git may take for a name of a commit, branch or remote; `path`: a file that git opens. */
  readonly kind: "number" | "text" | "revision" | "path" | readonly string[];
}

/** What stands after the options; `mixed` is revisions, then paths. */
export type Operands = "paths" | "mixed" | "remote" | "clone" | "stash";

interface GitCommand {
  readonly operands: Operands;
  readonly options: string;
}

const loud = "-q --quiet, -v --verbose";

// How differences are shown. None of these runs a program or writes a file.
const differences = `
  -p --patch, -s --no-patch, -U --unified <number>, --stat [text], --numstat, --shortstat, --summary, --name-only,
  --name-status, --diff-filter <text>, -M --find-renames [text], -C --find-copies [text], --no-renames, -R,
  -w --ignore-all-space, -b --ignore-space-change, --ignore-blank-lines, -W --function-context,
  --word-diff [plain|porcelain|none], --minimal, --patience, --histogram, --inter-hunk-context <number>,
  --diff-algorithm <default|myers|minimal|patience|histogram>, --full-index, --abbrev [number], -S <text>, -G <text>,
  --pickaxe-regex, --pickaxe-all, --check, --exit-code, -a --text, -z`;

const dates = "<relative|local|iso|iso-strict|rfc|short|raw|human|unix|default>";

const history = `${differences},
  -n --max-count <number>, --skip <number>, --oneline, --format <text>, --pretty [text], --graph, --decorate [text],
  --no-decorate, --all, --branches [text], --tags [text], --remotes [text], --since <text>, --after <text>,
  --until <text>, --before <text>, --author <text>, --committer <text>, --grep <text>, -i --regexp-ignore-case,
  -E --extended-regexp, -F --fixed-strings, --all-match, --invert-grep, --merges, --no-merges, --first-parent, --reverse,
  --date-order, --topo-order, --follow, -L <text>, --date ${dates}, --abbrev-commit, --no-abbrev-commit, --left-right,
  --cherry-pick, --parents, --children, --simplify-by-decoration, --ancestry-path, --no-walk, -m, -c, --cc`;

const conflicts = "<ours|theirs|ignore-all-space|ignore-space-change|patience>";

const merging = `${loud},
  --ff, --no-ff, --ff-only, --squash, --no-squash, --commit, --no-commit, --no-edit, --stat, -n --no-stat,
  -s --strategy <ort|recursive|resolve|octopus|ours|subtree>, -X --strategy-option ${conflicts},
  --allow-unrelated-histories, --autostash, --no-autostash`;

const fetching = `${loud},
  --all, --depth <number>, --deepen <number>, --unshallow, --shallow-since <text>, -f --force, -p --prune,
  -P --prune-tags, -t --tags, --no-tags, --dry-run, --progress`;

/** Every subcommand that there is, with every option that it takes; what is not here is refused. */
const commands = {
  status: {
    operands: "paths",
    options: `-s --short, -b --branch, --porcelain [text], --long, -v --verbose, -u --untracked-files [no|normal|all],
      --ignored, -z, --ahead-behind, --show-stash, --no-renames`,
  },
  diff: { operands: "mixed", options: `${differences}, --cached, --staged, --merge-base, -q --quiet` },
  log: { operands: "mixed", options: history },
  show: { operands: "mixed", options: history },
  blame: {
    operands: "mixed",
    options: `-L <text>, -w, -M [number], -C [number], -l, -t, -s, -e --show-email, -n --show-number, -f --show-name,
      -p --porcelain, --line-porcelain, --since <text>, --date ${dates}, --abbrev <number>, --root, --first-parent,
      --reverse`,
  },
  add: {
    operands: "paths",
    options: `-A --all, -u --update, -f --force, -n --dry-run, -v --verbose, -N --intent-to-add, --ignore-errors,
      --renormalize, --chmod <+x|-x>`,
  },
  commit: {
    operands: "paths",
    options: `${loud}, -m --message <text>, -F --file <path>, -a --all, --amend, --no-edit, -C --reuse-message <revision>,
      --fixup <revision>, --squash <revision>, --author <text>, --date <text>, --reset-author, -s --signoff,
      --allow-empty, --allow-empty-message, --dry-run, -i --include, -o --only, -n --no-verify`,
  },
  branch: {
    operands: "mixed",
    options: `${loud}, -a --all, -r --remotes, -l --list, --show-current, --contains <revision>,
      --no-contains <revision>, --merged [revision], --no-merged [revision], --points-at <revision>, --sort <text>,
      --format <text>, -i --ignore-case, -d --delete, -D, -m --move, -M, -c --copy, -C, -f --force, -t --track,
      --no-track, -u --set-upstream-to <revision>, --unset-upstream`,
  },
  checkout: {
    operands: "mixed",
    options: `-q --quiet, -b <revision>, -B <revision>, --orphan <revision>, -f --force, -t --track, --no-track,
      --detach, --ours, --theirs, -m --merge, --guess, --no-guess`,
  },
  switch: {
    operands: "mixed",
    options: `-q --quiet, -c --create <revision>, -C --force-create <revision>, --orphan <revision>, -d --detach,
      -f --force, --discard-changes, -t --track, --no-track, -m --merge, --guess, --no-guess`,
  },
  restore: {
    operands: "paths",
    options: `-q --quiet, -s --source <revision>, -S --staged, -W --worktree, --ours, --theirs, -m --merge,
      --ignore-unmerged`,
  },
  stash: {
    operands: "stash",
    options: `${differences}, -q --quiet, -u --include-untracked, --all, -k --keep-index, --no-keep-index, --staged,
      -m --message <text>, --index, -n --max-count <number>, --oneline`,
  },
  reset: {
    operands: "mixed",
    options: "-q --quiet, --soft, --mixed, --hard, --merge, --keep, -N --intent-to-add",
  },
  merge: { operands: "mixed", options: `${merging}, -m <text>, --abort, --continue, --quit` },
  rebase: {
    operands: "mixed",
    options: `${loud}, --onto <revision>, --root, --abort, --continue, --skip, --quit, --keep-base, -r --rebase-merges,
      --autosquash, --no-autosquash, --autostash, --no-autostash, -f --force-rebase, --no-ff, -n --no-stat,
      --reapply-cherry-picks, -X --strategy-option ${conflicts}`,
  },
  clone: {
    operands: "clone",
    options: `${loud}, --depth <number>, --shallow-since <text>, -b --branch <revision>, --single-branch,
      --no-single-branch, -n --no-checkout, --no-tags, --bare, --mirror, -o --origin <revision>, --progress`,
  },
  fetch: { operands: "remote", options: `${fetching}, -n` },
  pull: {
    operands: "remote",
    options: `${merging}, ${fetching}, -r --rebase [true|false|merges], --no-rebase`,
  },
  push: {
    operands: "remote",
    options: `${loud}, -u --set-upstream, -f --force, --force-with-lease [text], --force-if-includes, --all, --tags,
      --follow-tags, -d --delete, -n --dry-run, --prune, --atomic, --porcelain, --progress, --no-verify`,
  },
} as const satisfies Record<string, GitCommand>;

export type GitSubcommand = keyof typeof commands;

export const gitSubcommands = Object.keys(commands) as [GitSubcommand, ...GitSubcommand[]];

export const operandsOf = (subcommand: GitSubcommand): Operands => commands[subcommand].operands;

const kinds: readonly string[] = ["number", "text", "revision", "path"];

function readOption(text: string): readonly (readonly [string, GitOption])[] {
  const [, names = "", required, optional] = /^(-[^<[]*)(?:<(.+)>|\[(.+)\])?$/.exec(text) ?? [];
  const spellings = names.trim().split(" ");
  const word = required ?? optional ?? "text";
  // The check stands before it: what is no kind is a list of words.
  const kind = kinds.includes(word) ? (word as "number" | "text" | "revision" | "path") : word.split("|");
  const takes = required !== undefined ? "value" : optional !== undefined ? "optional" : "nothing";
  return spellings.map((name) => [name, { name: spellings.at(-1) ?? name, takes, kind }]);
}

/** The options of a subcommand by each of their spellings. */
export const optionsOf = (subcommand: GitSubcommand): ReadonlyMap<string, GitOption> =>
  new Map(
    commands[subcommand].options
      .split(",")
      .flatMap((text) => readOption(text.trim().replaceAll(/\s+/g, " "))),
  );
