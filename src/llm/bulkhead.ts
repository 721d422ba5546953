import { AppError, cancelled } from "../errors.ts";
import { eventsOf, handOver, type Opening, toFirstToken, whenEnded } from "./hand-over.ts";
import type { Llm, LlmRequest } from "./llm.ts";

export interface BulkheadOptions {
  /** Calls at once. */
  readonly most: number;
  /** How long a call waits for its place. */
  readonly waitMs: number;
}

/**
 * Bounds the calls of one provider, so that one which hangs takes what is its own and no more. A call waits in order for
 * a place, and not for long: `unavailable`. (cockatiel's waits without limit, also for those that were cancelled.)
 */
export function withBulkhead(llm: Llm, provider: string, { most, waitMs }: BulkheadOptions): Llm {
  const line = new Set<() => void>();
  let running = 0;

  /** Takes a place. */
  async function enter(signal: AbortSignal): Promise<void> {
    if (running < most) {
      running++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (error: AppError) => {
      line.delete(resolve);
      reject(error);
    };
    const abort = () => leave(cancelled());
    const timer = setTimeout(() => leave(full(provider, most, waitMs)), waitMs);
    signal.addEventListener("abort", abort, { once: true });
    line.add(resolve);
    if (signal.aborted) abort();
    try {
      // `leavePlace` has counted us already.
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  function leavePlace() {
    const [first] = line;
    if (first === undefined) {
      running--;
      return;
    }
    line.delete(first);
    first();
  }

  async function* inPlace(request: LlmRequest): Opening {
    await enter(request.signal);
    let isHanded = false;
    try {
      const handed = yield* toFirstToken(eventsOf(llm(request)));
      isHanded = true;
      return whenEnded(handed, leavePlace);
    } finally {
      if (!isHanded) leavePlace();
    }
  }
  return (request) => handOver(inPlace(request));
}

const full = (provider: string, most: number, waitMs: number) =>
  new AppError(
    "unavailable",
    `${most} calls of ${provider} are running (OPENCLAW_LLM_MAX_CONCURRENT), and none ended within ${waitMs / 1000} s.`,
    { retryAfterMs: 5000 },
  );
