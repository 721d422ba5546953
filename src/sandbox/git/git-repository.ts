import { lstatSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { lookEnvironment, requireHarmless } from "./git-config.ts";
import { modulesIgnored } from "./git-modules.ts";
import type { GitPlaces } from "./git-places.ts";
import { shown } from "../paths.ts";
import type { RunGit } from "./run-git.ts";

/** A repository as far as a call must know it. */
export interface Repository {
  /** Names of the keys of its configuration, and of `submodule.*.ignore` in its `.gitmodules`. */
  readonly names: readonly string[];
  /** Real path of its `.git`. */
  readonly gitDir: string;
  /** Real path of its work tree; absent for a bare one. */
  readonly topLevel?: string;
}

export interface Surroundings {
  readonly places: GitPlaces;
  /** Folders above which no repository is looked for. */
  readonly ceilings: readonly string[];
}

const configBytes = 262_144;

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** Throws `forbidden` when objects are borrowed from a repository outside the granted folders. */
function requireOwnObjects(commonDir: string, places: GitPlaces) {
  const objects = posix.join(commonDir, "objects");
  const file = posix.join(objects, "info/alternates");
  places.existing(objects, commonDir);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isFile() || stat.size > 65_536)
    throw new AppError("forbidden", "Cannot run git here: its alternates are no plain file.");
  for (const line of lines(readFileSync(file, "utf8")))
    if (!line.startsWith("#")) places.existing(line, objects);
}

const longestTodo = 1_048_576;

const longestStrategy = 64;

/** A strategy is a program `git-merge-NAME`: throws `forbidden` unless the file, where there is one, names one of git's own. */
function requireOwnStrategy(file: string) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const isOwn =
    stat.isFile() &&
    stat.size <= longestStrategy &&
    /^(?:ort|recursive|resolve|octopus|ours|subtree)?\n?$/.test(readFileSync(file, "utf8"));
  if (isOwn) return;
  const why = "its strategy is none of git's own; abort it";
  throw new AppError("forbidden", `Cannot go on with the rebase: ${why}.`);
}

/** Throws `forbidden` when the steps that a rebase is to go on with start programs: a file says so, which anybody may write. */
export function requirePlainRebase(gitDir: string) {
  for (const name of [
    "rebase-merge/git-rebase-todo",
    "rebase-merge/git-rebase-todo.backup",
    "sequencer/todo",
  ]) {
    const file = posix.join(gitDir, name);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const isPlain =
      stat.isFile() && stat.size <= longestTodo && !/^\s*(?:x|exec)\b/m.test(readFileSync(file, "utf8"));
    if (isPlain) continue;
    const why = "its remaining steps start programs; abort it";
    throw new AppError("forbidden", `Cannot go on with the rebase: ${why}.`);
  }
  requireOwnStrategy(posix.join(gitDir, "rebase-merge/strategy"));
}

/** What lies at a folder, once it is sure that it is a repository of the granted folders that runs nothing of its own. */
export async function inspectRepository(
  run: RunGit,
  cwd: string,
  { places, ceilings }: Surroundings,
  network: boolean,
): Promise<Repository> {
  const look = { cwd, write: false, environment: lookEnvironment(ceilings), bytes: configBytes };
  const where = await run(
    ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir", "--show-toplevel"],
    look,
  );
  const found = lines(where.output).filter((line) => line.startsWith("/"));
  const [gitDir, commonDir] = found;
  if (gitDir === undefined || commonDir === undefined) {
    const said = lines(where.output)[0]?.replace(/^fatal: /, "") ?? "git did not say why";
    throw new AppError(
      "bad_request",
      `There is no repository that git can use in ${shown(cwd)}: ${shown(said)}.`,
    );
  }
  const [, , topLevel] = found;
  const real = found.map((path) => places.existing(path, cwd));
  requireOwnObjects(commonDir, places);
  const [config, modules] = await Promise.all([
    run(["config", "--list", "--name-only", "--includes"], look),
    modulesIgnored(run, cwd, ceilings, topLevel),
  ]);
  if (config.exitCode !== 0 || config.cutBytes > 0)
    throw new AppError("bad_request", `The configuration of the repository in ${shown(cwd)} cannot be read.`);
  const names = lines(config.output);
  requireHarmless(names, network);
  return {
    names: [...names, ...modules],
    gitDir: real[0] ?? gitDir,
    ...(real[2] !== undefined && { topLevel: real[2] }),
  };
}

/** Addresses that the configuration gives to a repository's remotes. */
export async function remoteAddresses(
  run: RunGit,
  cwd: string,
  ceilings: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const environment = lookEnvironment(ceilings);
  const keys = "^(remote\\..*\\.(url|pushurl)|branch\\..*\\.(remote|pushremote)|remote\\.pushdefault)$";
  const { output } = await run(["config", "--get-regexp", keys], {
    cwd,
    write: false,
    environment,
    bytes: configBytes,
  });
  const found = new Map<string, string[]>();
  for (const line of lines(output)) {
    // No name has a blank in it: that was looked at.
    const [name = "", address = ""] = line.split(/ (.*)/s);
    const remote = /^remote\.(.*)\.(?:url|pushurl)$/.exec(name)?.[1] ?? "";
    found.set(remote, [...(found.get(remote) ?? []), address]);
  }
  return found;
}
