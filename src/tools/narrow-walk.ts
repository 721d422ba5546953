import type { CanRead } from "../sandbox/can-files.ts";
import type { LinePattern } from "../sandbox/files/pattern.ts";

/** These are read in any case: what is common is found in them, and a small tree is done. */
const firstFiles = 500;
/** Fewer are read in the time that it takes to ask. */
const leastFiles = 2000;
const mostFiles = 20_000;
/** Of all paths of a batch. */
const mostCharacters = 2_000_000;

/**
 * The files of a walk without those that hold no match for sure; `passOver` hears how many are left out. The first are
 * all there; of the others it is asked in batches, where that can be told.
 */
export async function* narrowWalk(
  read: CanRead,
  files: AsyncIterable<string>,
  pattern: LinePattern,
  passOver: (count: number) => void,
): AsyncIterable<string> {
  let count = 0;
  let batch: string[] = [];
  let characters = 0;
  let { narrow } = read;

  async function* finish(): AsyncIterable<string> {
    const all = batch;
    batch = [];
    characters = 0;
    const kept = all.length < leastFiles ? undefined : await narrow?.(all, pattern);
    if (kept === undefined) {
      // What could not be told once will not be told the next time.
      narrow = undefined;
      return yield* all;
    }
    const found = all.filter((path) => kept.has(path));
    passOver(all.length - found.length);
    yield* found;
  }

  for await (const path of files) {
    count += 1;
    if (narrow === undefined || count <= firstFiles) {
      yield path;
      continue;
    }
    batch.push(path);
    characters += path.length;
    if (batch.length === mostFiles || characters > mostCharacters) yield* finish();
  }
  yield* finish();
}
