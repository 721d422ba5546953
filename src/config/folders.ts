import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Problem } from "./load.ts";
import type { Settings } from "./settings.ts";

/** The folders of the settings with their links resolved. */
export interface Folders {
  readonly data: string;
  readonly workspace: string | undefined;
  readonly readRoots: readonly string[];
  readonly writeRoots: readonly string[];
}

export const realFolders = ({ store, sandbox }: Settings): Folders => ({
  data: realPath(store.dataDir),
  workspace: sandbox.workspace === undefined ? undefined : realPath(sandbox.workspace),
  readRoots: sandbox.readRoots.map(realPath),
  writeRoots: sandbox.writeRoots.map(realPath),
});

/** A path with its links resolved, as far as it exists. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** True for the folder itself and what lies below it; compares by folder, so `/workshop` is not in `/work`. */
export const isWithin = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/** Granted folders that are not there. */
export function missingFolders({ sandbox }: Settings): readonly Problem[] {
  const granted = [
    ...(sandbox.workspace === undefined ? [] : [{ env: "OPENCLAW_WORKSPACE", path: sandbox.workspace }]),
    ...sandbox.readRoots.map((path) => ({ env: "OPENCLAW_ALLOWED_READ_ROOTS", path })),
    ...sandbox.writeRoots.map((path) => ({ env: "OPENCLAW_ALLOWED_WRITE_ROOTS", path })),
  ];
  return granted.flatMap(({ env, path }) =>
    isFolder(path)
      ? []
      : [
          {
            env,
            text: `${env} names ${path}, which is no folder that can be opened. Make it, or correct the path.`,
          },
        ],
  );
}

function isFolder(path: string) {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
