import { chmod, chown, lstat, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { User } from "../../linux/privileges.ts";
import { sandboxLog as log } from "../../telemetry/log.ts";
import { isLeftOver, processName } from "./process-name.ts";

const prefix = "openclaw-call-";

/** Home and temporary folder of one call. */
export interface PrivateFolder {
  /** Its real path. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Gives back the rights over one's own folders that a program took away: else nobody but root could empty them. */
async function reopen(folder: string) {
  await chmod(folder, 0o700);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if ((await lstat(path)).isDirectory()) await reopen(path);
  }
}

async function remove(path: string) {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await reopen(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Makes a folder that only `user` (ourselves when left out) may enter. */
export async function makePrivateFolder(user: User | undefined): Promise<PrivateFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `${prefix}${processName()}-`)));
  if (user !== undefined) await chown(path, user.uid, user.gid);
  return { path, remove: () => remove(path) };
}

/**
 * Removes the folders that servers left which are gone: only what belongs to `user` or to us, and is a folder. Never
 * rejects; what cannot be removed stays.
 */
export async function sweepPrivateFolders(user: User | undefined) {
  const owners = [process.getuid?.(), user?.uid];
  try {
    for (const name of await readdir(tmpdir())) {
      if (!isLeftOver(name, prefix)) continue;
      const path = join(tmpdir(), name);
      const found = await lstat(path);
      if (found.isDirectory() && owners.includes(found.uid)) await rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    log.warn("Folders of earlier calls could not be removed.", { error });
  }
}
