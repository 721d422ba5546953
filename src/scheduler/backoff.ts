const firstBackoffMs = 10_000;
export const longestBackoffMs = 15 * 60_000;

/** How long a run waits for its next attempt: with jitter, so that many that failed together do not come back together. */
export const backoffMs = (attempts: number) =>
  Math.min(firstBackoffMs * 2 ** (attempts - 1), longestBackoffMs) * (0.75 + Math.random() / 2);

/** No run waits longer. */
export const longestWaitMs = longestBackoffMs * 1.25;
