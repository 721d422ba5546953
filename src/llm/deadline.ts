export interface Deadline {
  /** Aborts when the parent does, when the time is over, or by `abort`. */
  readonly signal: AbortSignal;
  /** True when it was the time that ran out. */
  expired(): boolean;
  /** From now on only so many milliseconds are left. */
  shorten(ms: number): void;
  abort(): void;
  /** Lets go of the timer and of the parent. Must be called. */
  end(): void;
}

/** A time limit below a signal; unlike `AbortSignal.any` and `AbortSignal.timeout` it leaves nothing behind. */
export function startDeadline(parent: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  let expired = false;
  const abort = () => controller.abort();
  const expire = () => {
    expired = true;
    abort();
  };
  let timer = setTimeout(expire, ms);
  parent.addEventListener("abort", abort, { once: true });
  if (parent.aborted) abort();
  return {
    signal: controller.signal,
    expired: () => expired,
    shorten(left) {
      clearTimeout(timer);
      timer = setTimeout(expire, left);
    },
    abort,
    end() {
      clearTimeout(timer);
      parent.removeEventListener("abort", abort);
    },
  };
}
