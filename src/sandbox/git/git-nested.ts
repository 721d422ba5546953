import { lstatSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";
import { gitEnvironment } from "./git-config.ts";
import { inspectRepository, type Surroundings } from "./git-repository.ts";
import type { RunGit } from "./run-git.ts";

const listBytes = 262_144;
const mostNested = 200;

const refuse = (why: string) => new AppError("bad_request", `Cannot run git add here: ${why}.`);

/** Paths of the commits of other repositories that the index holds. */
async function gitlinks(run: RunGit, topLevel: string, ceilings: readonly string[]) {
  const { output, exitCode, cutBytes } = await run(["ls-files", "--stage"], {
    cwd: topLevel,
    write: false,
    // The index is read: unlike for a mere look, what holds for every call is told.
    environment: gitEnvironment({ names: [], ceilings, protocols: [], locks: false }),
    bytes: listBytes,
    // The index may have a hundred thousand lines.
    through: ["grep", "^160000 "],
  });
  const lines = output.split("\n").filter((line) => line !== "");
  // 1: there is none.
  if (exitCode === 1 && lines.length === 0) return [];
  const paths = lines.map((line) => /^160000 [0-9a-f]+ \d\t([^"].*)$/.exec(line)?.[1]);
  const isWhole = exitCode === 0 && cutBytes === 0 && paths.length <= mostNested;
  if (isWhole && paths.every((path) => path !== undefined)) return paths;
  throw refuse(`its nested repositories cannot be told (at most ${mostNested}, with plain names)`);
}

/**
 * Names of the keys by which the repositories nested in this one must be answered: `git add` asks a git in each of them for
 * its changes whatever `diff.ignoreSubmodules` says, by the configuration that lies there. What this call is told for
 * these names holds for that git too. Throws like `inspectRepository` for a nested one that would run something of its own.
 */
export async function nestedNames(
  run: RunGit,
  topLevel: string,
  around: Surroundings,
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const path of new Set(await gitlinks(run, topLevel, around.ceilings))) {
    const folder = posix.join(topLevel, path);
    if (lstatSync(posix.join(folder, ".git"), { throwIfNoEntry: false }) === undefined) continue;
    const nested = await inspectRepository(run, folder, around, false).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `${error.message} (It is nested: ${shown(path)}.)`, { cause: error });
    });
    for (const name of nested.names) if (/^(?:filter|submodule)\./.test(name)) names.add(name);
  }
  return [...names];
}
