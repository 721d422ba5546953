/** Acts after so many milliseconds; the answer takes that back. */
export type After = (ms: number, act: () => void) => () => unknown;

const byTheClock: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** The time of one call: its signal aborts when the time is over or the turn is cancelled. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  readonly isOver: boolean;
  /** Waits for `work`; after the signal it waits `graceMs` more for it to clean up, then rejects without it. */
  race<T>(work: Promise<T>): Promise<T>;
}

/** `ms`: `Infinity` sets no time. */
export function startDeadline(
  turn: AbortSignal,
  ms: number,
  graceMs: number,
  after: After = byTheClock,
): Deadline {
  const stop = new AbortController();
  const gaveUp = Promise.withResolvers<never>();
  // Nobody may be waiting when it comes.
  gaveUp.promise.catch(() => undefined);
  let isOver = false;
  let leaveGrace: (() => unknown) | undefined;
  const end = (reason: unknown) => {
    stop.abort(reason);
    leaveGrace ??= after(graceMs, () => gaveUp.reject(reason));
  };
  const timeOver = () => {
    isOver = !turn.aborted;
    end(new DOMException(`The time of ${ms} ms is over.`, "TimeoutError"));
  };
  const leaveTime = ms === Number.POSITIVE_INFINITY ? undefined : after(ms, timeOver);
  const cancel = () => end(turn.reason);
  turn.addEventListener("abort", cancel, { once: true });
  return {
    signal: stop.signal,
    get isOver() {
      return isOver;
    },
    race: (work) => Promise.race([work, gaveUp.promise]),
    [Symbol.dispose]() {
      leaveTime?.();
      leaveGrace?.();
      turn.removeEventListener("abort", cancel);
    },
  };
}
