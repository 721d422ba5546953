/** Waits for a turn of the event loop when this one has taken long enough already; else it goes on at once. */
export type NextSlice = () => Promise<void>;

const sliceMs = 1;

/**
 * For work that is many short acts: all who share it get slices of the event loop one after the other, one a turn, so
 * that however many they are, what else there is to do waits for one slice.
 */
export function createSlices(): NextSlice {
  const waiting: (() => void)[] = [];
  let end = 0;
  const begin = () => {
    end = performance.now() + sliceMs;
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(begin);
  };
  return () => {
    if (performance.now() < end) return Promise.resolve();
    return new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(begin);
    });
  };
}
