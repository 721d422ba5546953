import { existsSync, realpathSync, statSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { pathInside, resolvePath, shown } from "../paths.ts";
import type { Root, Roots } from "../files/roots.ts";

export interface GitPlaces {
  /** Real path of the folder to start in. */
  folder(cwd: string | undefined): string;
  /** Real path of something that is there; throws `forbidden` outside the read roots. */
  existing(path: string, from: string): string;
  /** Throws `forbidden` for a path that leads outside by its letters. */
  requireInside(path: string, from: string): void;
  /** Absolute path of something that is to be made, and is not there. */
  fresh(path: string, from: string): string;
  /** Throws `forbidden` when a real path may not be read, or written. */
  requireGranted(real: string, act: "read" | "write", what: string): void;
}

const outside = (path: string, act: string, roots: readonly Root[]) =>
  new AppError(
    "forbidden",
    `Cannot use ${shown(path)} with git: it lies outside the folders that are granted to ${act} (${roots.map((root) => root.path).join(", ") || "none"}).`,
  );

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

/** Where git may work. What is looked at here by name is held once more by the sandbox of processes, by what it is. */
export function gitPlaces(roots: Roots, never: readonly string[]): GitPlaces {
  const readable = [...roots.read, ...roots.write];

  function requireGranted(real: string, act: "read" | "write", what: string) {
    const granted = act === "read" ? readable : roots.write;
    const isInside = granted.some((root) => pathInside(root.path, real) !== undefined);
    if (!isInside || never.some((folder) => pathInside(folder, real) !== undefined)) {
      throw outside(what, act, granted);
    }
  }

  function existing(path: string, from: string): string {
    const absolute = resolvePath(path, from);
    try {
      const real = realpathSync(absolute);
      requireGranted(real, "read", path);
      return real;
    } catch (error) {
      if (error instanceof AppError) throw error;
      const why = codeOf(error) === "ENOENT" ? "it does not exist" : "it cannot be opened";
      throw new AppError("not_found", `Cannot use ${shown(path)} with git: ${why}.`, { cause: error });
    }
  }

  return {
    existing,
    requireGranted,
    folder(cwd = ".") {
      const base = roots.workspace;
      if (base === undefined && !posix.isAbsolute(cwd)) {
        throw new AppError(
          "bad_request",
          "Cannot run git: there is no workspace here, so cwd must be absolute.",
        );
      }
      const real = existing(cwd, base ?? "/");
      if (statSync(real).isDirectory()) return real;
      throw new AppError("bad_request", `Cannot run git in ${shown(cwd)}: it is no folder.`);
    },
    requireInside(path, from) {
      const absolute = resolvePath(path, from);
      if (!readable.some((root) => root.names.some((name) => pathInside(name, absolute) !== undefined))) {
        throw outside(path, "read", readable);
      }
    },
    fresh(path, from) {
      const absolute = resolvePath(path, from);
      if (existsSync(absolute)) {
        throw new AppError("conflict", `Cannot clone to ${shown(path)}: there is something already.`);
      }
      const parent = existing(posix.dirname(absolute), from);
      const real = posix.join(parent, posix.basename(absolute));
      requireGranted(real, "write", path);
      return real;
    },
  };
}
