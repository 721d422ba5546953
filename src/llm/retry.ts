import { AppError, cancelled } from "../errors.ts";
import { count } from "../telemetry/metrics.ts";
import { inShort, mayPass } from "./failures.ts";
import { eventsOf, handOver, type Opening, toFirstToken } from "./hand-over.ts";
import type { Llm, LlmRequest } from "./llm.ts";

export interface RetryOptions {
  /** Tries after the first. */
  readonly retries: number;
  /** All tries and waits together take no longer than one call may. */
  readonly totalMs: number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const firstWaitMs = 500;
const longestBackoffMs = 8000;
/** Who asks us to wait longer is not waited for: the next model is asked, or the caller is told how long it is. */
const longestWaitMs = 60_000;

/**
 * Asks again where that can help and nothing of the answer went out yet: after `Retry-After`, else after a random part of
 * a time that doubles.
 */
export function withRetry(llm: Llm, { retries, totalMs, wait = sleep }: RetryOptions): Llm {
  async function* attempts(request: LlmRequest): Opening {
    const start = performance.now();
    let backoff: Backoff | undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        const left = totalMs - (performance.now() - start);
        const again = attempt === 0 ? request : { ...request, timeoutMs: Math.max(1, Math.ceil(left)) };
        return yield* toFirstToken(eventsOf(llm(again)));
      } catch (error) {
        if (attempt >= retries || !mayPass(error)) throw error;
        backoff = backoff?.next(undefined) ?? (await startBackoff());
        const told = error instanceof AppError ? error.retryAfterMs : undefined;
        const waitMs = told ?? backoff.duration;
        const left = totalMs - (performance.now() - start);
        if (waitMs > longestWaitMs || waitMs >= left) throw error;
        count("totalLlmRetries");
        const text = `${inShort(error)}, next try ${waitMs < 1000 ? "now" : `in ${Math.round(waitMs / 1000)} s`}`;
        yield { type: "status", code: "retry", text, retryInMs: Math.round(waitMs) };
        const pause = () => wait(waitMs, request.signal);
        await (request.outsideSlot ? request.outsideSlot(pause) : pause());
      }
    }
  }
  return (request) => handOver(attempts(request));
}

type Backoff = Awaited<ReturnType<typeof startBackoff>>;

/** Loaded by the first fault. */
async function startBackoff() {
  const { ExponentialBackoff } = await import("cockatiel/dist/backoff/ExponentialBackoff.js");
  const { fullJitterGenerator } = await import("cockatiel/dist/backoff/ExponentialBackoffGenerators.js");
  const backoff = new ExponentialBackoff({
    generator: fullJitterGenerator,
    initialDelay: firstWaitMs,
    maxDelay: longestBackoffMs,
  });
  return backoff.next();
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = () => reject(cancelled());
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}
