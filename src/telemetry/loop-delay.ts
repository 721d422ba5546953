import { loopDelaySeconds } from "./metrics.ts";

// Each wake of an idle process costs processor time: half a millisecond, as many as there are.
const everyMs = 2000;

/** Notes every two seconds how late the event loop is, until it is called off. */
export function watchLoopDelay(): () => void {
  let due = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    loopDelaySeconds.observe(Math.max(0, now - due) / 1000);
    due = now + everyMs;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
