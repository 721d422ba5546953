const longestSeconds = 7 * 86_400;
const text = { type: "string" } as const;

/** The options of `parseArgs` that say how long a proof runs, and by which seed. */
export const durationOptions = { minutes: text, seconds: text, seed: text } as const;

/** Seconds (of one minute when nothing is said) and seed (any when none is given). Throws on what is no number. */
export function durationOf(values: { minutes?: string; seconds?: string; seed?: string }) {
  const seconds = Number(values.seconds ?? 60 * Number(values.minutes ?? 1));
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (!(seconds > 0 && seconds <= longestSeconds) || !Number.isSafeInteger(seed))
    throw new Error("--minutes and --seconds take a number above 0, --seed a whole number.");
  return { seconds, seed };
}
