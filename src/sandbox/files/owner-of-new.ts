import { chownSync, type Stats } from "node:fs";
import { pathOf } from "../../linux/open-beneath.ts";

/**
 * As root, gives what was made anew (and is open) to the owner of its folder: programs of the sandbox run as the owner
 * of the workspace, and work on it too. Throws the error of the system.
 */
export function giveToOwnerOf(folder: Stats, fd: number): void {
  if (process.getuid?.() === 0 && folder.uid !== 0) chownSync(pathOf(fd), folder.uid, folder.gid);
}
