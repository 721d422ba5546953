/** Calls `act` after so many milliseconds, unless the function that it returns is called before. */
export type After = (ms: number, act: () => void) => () => void;

/** The longest that a timer can be set to. */
const longestMs = 2 ** 31 - 1;

export const afterTimeout: After = (ms, act) => {
  const timer = setTimeout(act, Math.min(Math.max(0, ms), longestMs));
  return () => clearTimeout(timer);
};
