/** The time of one call: its signal aborts when the time is over or the turn is cancelled. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  readonly isOver: boolean;
  /** Waits for `work`; after the signal it waits `graceMs` more for it to clean up, then rejects without it. */
  race<T>(work: Promise<T>): Promise<T>;
}

/** `ms`: `Infinity` sets no time. */
export function startDeadline(turn: AbortSignal, ms: number, graceMs: number): Deadline {
  const stop = new AbortController();
  const gaveUp = Promise.withResolvers<never>();
  // Nobody may be waiting when it comes.
  gaveUp.promise.catch(() => undefined);
  let isOver = false;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const end = (reason: unknown) => {
    stop.abort(reason);
    grace ??= setTimeout(() => gaveUp.reject(reason), graceMs);
  };
  const timeOver = () => {
    isOver = !turn.aborted;
    end(new DOMException(`The time of ${ms} ms is over.`, "TimeoutError"));
  };
  const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(timeOver, ms);
  const cancel = () => end(turn.reason);
  turn.addEventListener("abort", cancel, { once: true });
  return {
    signal: stop.signal,
    get isOver() {
      return isOver;
    },
    race: (work) => Promise.race([work, gaveUp.promise]),
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearTimeout(grace);
      turn.removeEventListener("abort", cancel);
    },
  };
}
