/** How long a provider may take. */
export interface Limits {
  /** Until the first token. */
  readonly firstTokenMs: number;
  /** Between two parts of an answer. */
  readonly silenceMs: number;
  readonly totalMs: number;
}

export type Limit = keyof Limits;

export interface Timeouts {
  /** Aborts when the parent does, when a limit is over, or by `abort`. */
  readonly signal: AbortSignal;
  /** The limit that ran out, if one did. */
  expired(): Limit | undefined;
  /** The provider has the word: only from here to `heard` can it be silent. `begun`: its answer has begun. */
  listen(begun: boolean): void;
  /** Something came. */
  heard(): void;
  /** Milliseconds since something came. */
  silentMs(): number;
  /** From now on only so many milliseconds are left. */
  shorten(ms: number): void;
  abort(): void;
  /** Lets go of the parent: what is left goes on without it. */
  detach(): void;
  /** Lets go of the timer and of the parent. Must be called. */
  end(): void;
}

/** How soon is looked again while it is our reader who is slow. */
const pausedMs = 500;

/**
 * Time limits below a signal; unlike `AbortSignal.any` and `AbortSignal.timeout` they leave nothing behind. There is one
 * timer, and a token costs no more than a look at the clock: when the timer fires it looks what was heard meanwhile.
 */
export function startTimeouts(parent: AbortSignal, limits: Limits): Timeouts {
  const controller = new AbortController();
  const start = performance.now();
  let heardAt = start;
  let begun = false;
  let listening = true;
  let totalEnd = start + limits.totalMs;
  let expired: Limit | undefined;
  const abort = () => controller.abort();
  const detach = () => parent.removeEventListener("abort", abort);

  function nextEnd(): { limit: Limit; at: number } {
    const phase = begun
      ? { limit: "silenceMs" as const, at: heardAt + limits.silenceMs }
      : { limit: "firstTokenMs" as const, at: start + limits.firstTokenMs };
    return phase.at < totalEnd ? phase : { limit: "totalMs", at: totalEnd };
  }

  function look() {
    const { limit, at } = nextEnd();
    const left = at - performance.now();
    if (left > 0 || (!listening && limit !== "totalMs")) {
      timer = setTimeout(look, Math.ceil(left > 0 ? left : pausedMs));
      return;
    }
    expired = limit;
    abort();
  }

  let timer = setTimeout(look, Math.max(0, Math.ceil(nextEnd().at - start)));
  parent.addEventListener("abort", abort, { once: true });
  if (parent.aborted) abort();
  return {
    signal: controller.signal,
    expired: () => expired,
    listen(hasBegun) {
      heardAt = performance.now();
      listening = true;
      if (!hasBegun || begun) return;
      begun = true;
      // The next limit may be nearer than the one that the timer was set for.
      clearTimeout(timer);
      look();
    },
    heard() {
      heardAt = performance.now();
      listening = false;
    },
    silentMs: () => performance.now() - heardAt,
    shorten(ms) {
      totalEnd = performance.now() + ms;
      clearTimeout(timer);
      look();
    },
    abort,
    detach,
    end() {
      clearTimeout(timer);
      detach();
    },
  };
}
