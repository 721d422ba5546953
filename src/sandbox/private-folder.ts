import { chmod, chown, lstat, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { User } from "../linux/privileges.ts";

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
  const path = await realpath(await mkdtemp(join(tmpdir(), "openclaw-call-")));
  if (user !== undefined) await chown(path, user.uid, user.gid);
  return { path, remove: () => remove(path) };
}
