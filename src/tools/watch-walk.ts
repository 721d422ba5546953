import type { WalkOptions } from "../sandbox/can-files.ts";
import { shown } from "../sandbox/paths.ts";

/** Folders full of files that nobody wrote by hand. */
const skippedFolders: ReadonlySet<string> = new Set([".git", "node_modules"]);
const mostNamed = 5;

/** Leaves out what is rarely meant when a tree is gone through, and can tell what was left out. */
export function watchWalk(): Required<WalkOptions> & { notes(): string[] } {
  const skipped = new Set<string>();
  const closed: string[] = [];
  return {
    enter(name) {
      if (!skippedFolders.has(name)) return true;
      skipped.add(name);
      return false;
    },
    closed: (path) => closed.push(path),
    notes() {
      const notes = [...skipped].map(
        (name) => `[Folders named ${name} were left out; name one as the path to look into it.]`,
      );
      if (closed.length > 0) {
        const names = closed.slice(0, mostNamed).map(shown).join(", ");
        notes.push(`[Folders that could not be opened: ${names}${closed.length > mostNamed ? ", …" : ""}]`);
      }
      return notes;
    },
  };
}
