const lookEveryMs = 2000;
/** So long nothing must have run: collecting holds everything up for 20 to 120 ms. */
const quietLooks = 3;
/** What it must have grown by since the last time to be worth that. */
const growthBytes = 16 * 1024 * 1024;
/** So long next to nothing must have happened until compiled code goes too: the next few hundred turns compile it again. */
const stillLooks = 10;
/** Processor time of a server at rest between two looks is below this. */
const stillMs = 60;
/** What it must have grown by since the last time to be worth that. */
const codeGrowthBytes = 24 * 1024 * 1024;

export interface TidyParts {
  /** Turns run or wait. */
  readonly isBusy: () => boolean;
  readonly residentBytes?: () => number;
  /** Processor time of all threads so far. */
  readonly processorMs?: () => number;
  readonly collect?: () => void;
  /** Lets go of code that was compiled, and collects, once nothing runs. */
  readonly shrink?: () => void;
}

function ownProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Looks at the memory once, as `startTidying` does; for tests. */
export function createTidying({
  isBusy,
  residentBytes = process.memoryUsage.rss,
  processorMs = ownProcessorMs,
  collect = () => Bun.gc(true),
  // Deprecated, and the one way to it.
  shrink = Bun.shrink,
}: TidyParts) {
  let quiet = 0;
  let still = 0;
  let worked = processorMs();
  let least = residentBytes();
  let leanest = least;
  let hasShrunk = false;
  return () => {
    const spent = processorMs() - worked;
    worked += spent;
    // A short turn falls between two looks: its processor time tells.
    quiet = isBusy() ? 0 : quiet + 1;
    still = quiet === 0 || spent > stillMs ? 0 : still + 1;
    if (quiet < quietLooks) return;
    const now = residentBytes();
    least = Math.min(least, now);
    if (hasShrunk) leanest = now;
    hasShrunk = false;
    if (now - least >= growthBytes) {
      collect();
      least = residentBytes();
    } else if (still >= stillLooks && now - leanest >= codeGrowthBytes) {
      shrink();
      hasShrunk = true;
    }
  };
}

/** Gives back what a burst of work has left, once it is quiet: the engine itself waits for the next burst. */
export function startTidying(parts: TidyParts): { stop(): void } {
  const timer = setInterval(createTidying(parts), lookEveryMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
