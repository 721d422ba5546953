import { existsSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// A process of its own: swaps a folder and a file of the workspace for links that lead outside, and back, until it is ended.
const [work = "", outside = ""] = process.argv.slice(2);
const [folder, kept] = [join(work, "folder"), join(work, "kept")];
const [leaf, fresh] = [join(work, "leaf"), join(work, "fresh")];

function swapFolder() {
  renameSync(folder, kept);
  symlinkSync(outside, folder);
  unlinkSync(folder);
  renameSync(kept, folder);
}

function swapLeaf() {
  symlinkSync(join(outside, "secret"), fresh);
  renameSync(fresh, leaf);
  writeFileSync(fresh, "inside");
  renameSync(fresh, leaf);
}

function putBack() {
  rmSync(fresh, { force: true });
  if (!existsSync(kept)) return;
  rmSync(folder, { force: true, recursive: true });
  renameSync(kept, folder);
}

/** The other side makes files and folders at any moment, so every step may fail; the next round tries again. */
function tryTo(act: () => void) {
  try {
    act();
  } catch {
    return false;
  }
  return true;
}

process.stdout.write("ready\n");
for (;;) {
  if (!tryTo(swapFolder) || !tryTo(swapLeaf)) tryTo(putBack);
}
