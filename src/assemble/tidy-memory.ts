const lookEveryMs = 2000;
/** So long nothing must have run: collecting holds everything up for 20 to 120 ms. */
const quietLooks = 3;
/** What it must have grown by since the last time to be worth that. */
const growthBytes = 16 * 1024 * 1024;

export interface TidyParts {
  /** Turns run or wait. */
  readonly isBusy: () => boolean;
  readonly residentBytes?: () => number;
  readonly collect?: () => void;
}

/** Looks at the memory once, as `startTidying` does; for tests. */
export function createTidying({
  isBusy,
  residentBytes = process.memoryUsage.rss,
  collect = () => Bun.gc(true),
}: TidyParts) {
  let quiet = 0;
  let least = residentBytes();
  return () => {
    quiet = isBusy() ? 0 : quiet + 1;
    if (quiet < quietLooks) return;
    const now = residentBytes();
    least = Math.min(least, now);
    if (now - least < growthBytes) return;
    collect();
    least = residentBytes();
  };
}

/** Gives back what a burst of work has left, once it is quiet: the engine itself waits for the next burst. */
export function startTidying(parts: TidyParts): { stop(): void } {
  const timer = setInterval(createTidying(parts), lookEveryMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
