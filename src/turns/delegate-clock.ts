/** Time that stands still while a person is waited for. */
export interface Clock {
  pause(): void;
  go(): void;
  stop(): void;
}

/** Runs from now on; `over` is called once when `ms` of it have passed. */
export function startClock(ms: number, over: () => void): Clock {
  let left = ms;
  let since = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(over, left);
  const pause = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    left = Math.max(0, left - (performance.now() - since));
  };
  return {
    pause,
    go() {
      if (timer !== undefined) return;
      since = performance.now();
      timer = setTimeout(over, left);
    },
    stop: pause,
  };
}
