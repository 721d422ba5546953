import { lstatSync, statSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import type { CanGit } from "../can-run.ts";
import type { Egress } from "../net/egress.ts";
import { type GitArguments, gitEffect, optionWords, readGitArguments } from "./git-arguments.ts";
import { gitEnvironment } from "./git-config.ts";
import type { GitSubcommand } from "./git-options.ts";
import { nestedNames } from "./git-nested.ts";
import { gitPlaces } from "./git-places.ts";
import { waysOf } from "./git-protocols.ts";
import { inspectRepository, requirePlainRebase } from "./git-repository.ts";
import { cloneWords, operandWords } from "./git-words.ts";
import type { RunGit } from "./run-git.ts";
import type { Programs } from "../processes/programs.ts";
import type { Roots } from "../files/roots.ts";
import type { Lend } from "../sandbox.ts";
import type { Caller } from "../tool.ts";

export interface GitSettings {
  readonly allowGit: boolean;
  readonly allowGitFetch: boolean;
  readonly allowGitPush: boolean;
  readonly allowPrivateNetwork: boolean;
}

export interface GitParts {
  /** Absent where nothing that is granted runs programs. */
  readonly programs: Pick<Programs, "run" | "find"> | undefined;
  readonly egress: Pick<Egress, "pass">;
  readonly roots: Roots;
  /** Real paths of folders where git never works: the data folder. */
  readonly never: readonly string[];
}

const maxOutputBytes = 49_152;
const cleanUpMs = 5000;

/** Told to git itself on top of what the caller asks: a repository chooses no program, and submodules are left alone. */
const forced: Readonly<Partial<Record<GitSubcommand, readonly string[]>>> = {
  status: ["--ignore-submodules=dirty"],
  diff: ["--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"],
  log: ["--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"],
  show: ["--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"],
  // What they would tell of local changes is asked of nested repositories when the new branch says so.
  checkout: ["--quiet"],
  switch: ["--quiet"],
  clone: ["--template=", "--no-recurse-submodules", "--no-local"],
  fetch: ["--no-recurse-submodules"],
  pull: ["--no-recurse-submodules"],
  push: ["--no-recurse-submodules", "--no-signed"],
};

/** The subcommand with its options; `stash` wants its action before them, which `operandWords` leaves out. */
const commandWords = (call: GitArguments): readonly string[] => {
  const { subcommand, operands } = call;
  const action = subcommand === "stash" ? [operands[0] ?? "push"] : [];
  return [subcommand, ...action, ...(forced[subcommand] ?? []), ...optionWords(call)];
};

/** Neither of these takes another step. */
const leavesRebase = ({ options: [first, ...more], operands }: GitArguments) =>
  more.length === 0 && operands.length === 0 && /^--(?:abort|quit)$/.test(first?.option.name ?? "");

/** Git for one call. Everything is read before anything runs, and what runs is held by the sandbox of processes as well. */
function canGit(
  settings: GitSettings,
  parts: GitParts & { readonly programs: Pick<Programs, "run" | "find"> },
  caller: Caller,
  signal: AbortSignal,
): CanGit {
  const { programs, egress, roots, never } = parts;
  const places = gitPlaces(roots, never);
  const read = roots.read.map((root) => root.path);
  const write = roots.write.map((root) => root.path);
  const ceilings = [...new Set([...read, ...write].map((path) => posix.dirname(path)))];

  async function find(): Promise<string> {
    const git = await programs.find("git");
    if (git !== undefined) return git;
    throw new AppError(
      "unavailable",
      "There is no git on this host: do without it, or ask the operator to install it.",
    );
  }

  function requireAllowed({ subcommand }: GitArguments) {
    const denied = (flag: string) =>
      new AppError("forbidden", `Cannot run git ${subcommand}: it is not granted here (${flag} is off).`);
    if (["clone", "fetch", "pull"].includes(subcommand) && !settings.allowGitFetch)
      throw denied("OPENCLAW_ALLOW_GIT_FETCH");
    if (subcommand === "push" && !settings.allowGitPush) throw denied("OPENCLAW_ALLOW_GIT_PUSH");
  }

  const runIn =
    (git: string): RunGit =>
    (words, { cwd, write: mayWrite, environment, proxy, onOutput, bytes, through }) =>
      programs.run(
        {
          stages: [[git, ...words], ...(through ? [through] : [])],
          cwd,
          environment,
          read: [...read, ...(mayWrite ? [] : write)],
          write: mayWrite ? write : [],
          ...(proxy !== undefined && { proxy }),
        },
        { signal, maxOutputBytes: bytes, ...(onOutput !== undefined && { onOutput }) },
      );

  /** A git that was ended leaves its lock, or half of a clone. Removed by a program, so that the sandbox holds that too. */
  async function cleanUp(path: string, cwd: string) {
    const stages = [["rm", "-rf", "--", path]];
    const signal = AbortSignal.timeout(cleanUpMs);
    await programs.run({ stages, cwd, read, write }, { signal }).catch(() => undefined);
  }

  return {
    fetch: settings.allowGitFetch,
    push: settings.allowGitPush,
    async run(subcommand, args, { cwd: asked, onOutput }) {
      const call = readGitArguments(subcommand, args);
      requireAllowed(call);
      const effect = gitEffect(call);
      const [changes, network] = [effect !== "reads", effect === "reaches_out"];
      const cwd = places.folder(asked);
      for (const { option, value } of call.options)
        if (option.kind === "path" && value !== undefined) places.existing(value, cwd);
      const clone = subcommand === "clone" ? cloneWords(call, cwd, places) : undefined;
      const operands = clone?.words ?? operandWords(call, cwd, places);

      const run = runIn(await find());
      const around = { places, ceilings, allowHttp: settings.allowPrivateNetwork };
      const repository = clone ? undefined : await inspectRepository(run, cwd, around, network);
      if (repository && changes) places.requireGranted(repository.gitDir, "write", repository.gitDir);
      if (repository && subcommand === "rebase" && !leavesRebase(call)) requirePlainRebase(repository.gitDir);
      const nested =
        subcommand === "add" && repository?.topLevel !== undefined
          ? await nestedNames(run, repository.topLevel, around)
          : [];
      const ways = network ? await waysOf(call, run, cwd, around) : { protocols: [], folders: [] };
      for (const folder of ways.folders)
        if (statSync(folder).isDirectory()) await inspectRepository(run, folder, around, network);

      const lock = posix.join(repository?.gitDir ?? cwd, "index.lock");
      const litter =
        clone?.target ?? (changes && !lstatSync(lock, { throwIfNoEntry: false }) ? lock : undefined);
      const pass = network ? await egress.pass(caller, signal) : undefined;
      let finished = false;
      try {
        const end = await run([...commandWords(call), ...operands], {
          cwd,
          write: changes,
          environment: gitEnvironment({
            names: [...(repository?.names ?? []), ...nested],
            ceilings,
            protocols: ways.protocols,
            locks: changes,
            ...(pass && { proxyUrl: pass.url }),
          }),
          ...(pass && { proxy: { url: pass.url, port: pass.port } }),
          onOutput,
          bytes: maxOutputBytes,
        });
        finished = end.signal === undefined;
        return pass && pass.refusals.length > 0 ? { ...end, refusals: [...pass.refusals] } : end;
      } finally {
        pass?.release();
        if (!finished && litter !== undefined) await cleanUp(litter, cwd);
      }
    },
  };
}

/** What git may be lent: nothing unless it is allowed and there are folders to work in. */
export function lendGit(
  settings: GitSettings,
  parts: GitParts,
): { lend: Pick<Lend, "git">; warnings: readonly string[] } {
  const { allowGit, allowGitFetch, allowGitPush } = settings;
  if (!allowGit) {
    const idle = allowGitFetch || allowGitPush;
    const why = "git is off although it may fetch or push: set OPENCLAW_ALLOW_GIT=true.";
    return { lend: {}, warnings: idle ? [why] : [] };
  }
  if (parts.roots.read.length === 0) {
    return { lend: {}, warnings: ["git is off: grant it folders by OPENCLAW_ALLOWED_READ_ROOTS."] };
  }
  const { programs } = parts;
  if (programs === undefined) return { lend: {}, warnings: [] };
  return {
    lend: { git: (caller, signal) => canGit(settings, { ...parts, programs }, caller, signal) },
    warnings: [],
  };
}
