import type { After } from "../../src/scheduler/after.ts";

/** A clock that stands still until the test moves it; timers run when their time has come by it. */
export function movedClock(at: string | number) {
  let time = new Date(at).getTime();
  const timers = new Map<object, { due: number; act: () => void }>();
  const after: After = (ms, act) => {
    const key = {};
    timers.set(key, { due: time + ms, act });
    if (ms <= 0) setImmediate(() => timers.delete(key) && act());
    return () => timers.delete(key);
  };
  return {
    now: () => time,
    after,
    timers: () => timers.size,
    /** Sets the clock, as a person or NTP does: no time passes, and timers wait on for what is left of them. */
    set(to: string) {
      const jump = new Date(to).getTime() - time;
      time += jump;
      for (const timer of timers.values()) timer.due += jump;
    },
    /** Moves the clock, forward or back, and runs what is due then. */
    move(to: string | number) {
      time = typeof to === "number" ? time + to : new Date(to).getTime();
      for (const [key, { due, act }] of [...timers]) {
        if (due > time) continue;
        timers.delete(key);
        act();
      }
    },
  };
}
