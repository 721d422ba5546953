import { loopDelaySeconds } from "./metrics.ts";

const everyMs = 500;

/** Notes twice a second how late the event loop is, until it is called off. */
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
