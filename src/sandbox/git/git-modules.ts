import { lstatSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";
import { gitEnvironment } from "./git-config.ts";
import type { RunGit } from "./run-git.ts";

const modulesBytes = 262_144;
const file = ".gitmodules";

/**
 * Names of the keys `submodule.NAME.ignore` in `.gitmodules`, which are stronger than `diff.ignoreSubmodules`: as a file, in
 * the index and in the last commit, because git takes the first of them that there is. Throws `bad_request` for one that
 * cannot be read, and `forbidden` for a name that could stand for two keys. `topLevel` is absent for a bare repository.
 */
export async function modulesIgnored(
  run: RunGit,
  cwd: string,
  ceilings: readonly string[],
  topLevel: string | undefined,
): Promise<readonly string[]> {
  const path = topLevel === undefined ? undefined : posix.join(topLevel, file);
  const isThere = path !== undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const sources = [...(isThere ? [`--file=${path}`] : []), `--blob=:${file}`, `--blob=HEAD:${file}`];
  // The index is read: unlike for a mere look, what holds for every call is told.
  const environment = gitEnvironment({ names: [], ceilings, protocols: [], locks: false });
  const found = await Promise.all(
    sources.map(async (source) => {
      const words = ["config", source, "--no-includes", "--list", "--name-only"];
      const { exitCode, output, cutBytes } = await run(words, {
        cwd,
        write: false,
        environment,
        bytes: modulesBytes,
      });
      // No name begins so: there is a colon in it.
      if (source.startsWith("--blob") && output.startsWith("error: unable to resolve config blob")) return [];
      if (exitCode === 0 && cutBytes === 0) return output.split("\n");
      throw new AppError(
        "bad_request",
        `Cannot run git here: ${file} in ${shown(topLevel ?? cwd)} cannot be read; mend or remove it.`,
      );
    }),
  );
  const names = [...new Set(found.flat())].filter((name) => /^submodule\..*\.ignore$/.test(name));
  const bad = names.find((name) => /[\s=\p{Cc}]/u.test(name));
  if (bad === undefined) return names;
  const why = "the name of a submodule must have no blank and no = in it; remove its ignore";
  throw new AppError("forbidden", `Cannot run git here: ${file} sets ${shown(bad)}: ${why}.`);
}
