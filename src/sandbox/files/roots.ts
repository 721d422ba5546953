import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { AppError } from "../../errors.ts";
import { pathInside } from "../paths.ts";

/** A granted folder, opened once at start: what lies at its path later does not matter. */
export interface Root {
  /** Its real path. */
  readonly path: string;
  /** The real path and the one in the settings, which may go through links: both are understood. */
  readonly names: readonly string[];
  readonly fd: number;
}

export interface Roots {
  /** Real path of the workspace; relative paths lie in it. */
  readonly workspace: string | undefined;
  readonly read: readonly Root[];
  readonly write: readonly Root[];
  close(): void;
}

export interface RootSettings {
  /** Absolute. */
  readonly workspace: string | undefined;
  /** Absolute, or relative to the workspace. */
  readonly readRoots: readonly string[];
  readonly writeRoots: readonly string[];
}

const fault = (setting: string, value: string, why: string) =>
  new AppError("bad_request", `${setting}: cannot use ${JSON.stringify(value)}: ${why}.`);

function openRoot(setting: string, value: string, workspace: string | undefined): Root {
  if (workspace === undefined && !posix.isAbsolute(value)) {
    throw fault(setting, value, "a relative folder lies in the workspace, so set OPENCLAW_WORKSPACE too");
  }
  const given = posix.resolve(workspace ?? "/", value);
  try {
    const fd = openSync(given, constants.O_RDONLY | constants.O_DIRECTORY);
    // Of what was opened, not of the name: that may have changed since.
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    return { path, names: path === given ? [path] : [path, given], fd };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const said: Record<string, string> = {
      ENOENT: "there is no such folder; make it or name another",
      ENOTDIR: "it is no folder",
      EACCES: "this server may not open it",
    };
    throw fault(setting, value, said[why] ?? `it cannot be opened (${why})`);
  }
}

/** Opens the granted folders. Throws an `AppError` that names the setting of the first that is missing or no folder. */
export function openRoots(settings: RootSettings): Roots {
  const opened: Root[] = [];
  const close = () => {
    for (const root of opened.splice(0)) closeSync(root.fd);
  };
  const open = (setting: string, value: string, workspace: string | undefined) => {
    const root = openRoot(setting, value, workspace);
    opened.push(root);
    return root;
  };
  try {
    const { workspace } = settings;
    const home = workspace === undefined ? undefined : open("OPENCLAW_WORKSPACE", workspace, undefined);
    const all = (setting: string, values: readonly string[]) =>
      values.map((value) => open(setting, value, workspace)).sort((a, b) => a.path.length - b.path.length);
    return {
      workspace: home?.path,
      read: all("OPENCLAW_ALLOWED_READ_ROOTS", settings.readRoots),
      write: all("OPENCLAW_ALLOWED_WRITE_ROOTS", settings.writeRoots),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The first (widest) root that a path lies in, and where in it. */
export function findRoot(roots: readonly Root[], path: string): { root: Root; inside: string } | undefined {
  for (const root of roots) {
    for (const name of root.names) {
      const inside = pathInside(name, path);
      if (inside !== undefined) return { root, inside };
    }
  }
  return undefined;
}
