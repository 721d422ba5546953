import { readFileSync } from "node:fs";

/** A health check is answered within this, whatever else is asked. */
const limitMs = 1000;
/** A server that does nothing at all for so long hangs as well, however busy this machine is. */
const longestMs = 10_000;
const everyMs = 100;

/** Processor time of the thread that answers, in milliseconds: others may work as long as they like. */
function workedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
}

/**
 * Asks beside everything else whether the server is alive. On a machine that others use a late answer alone says
 * little, so that it counts only when the thread itself has worked for that long.
 */
export function probeHealth(
  target: { url(): string; pid(): number },
  hung: (what: string) => void,
): Disposable {
  let stopped = false;
  async function once() {
    const pid = target.pid();
    const before = workedMs(pid);
    const begin = performance.now();
    const response = await fetch(`${target.url()}/health/live`, {
      signal: AbortSignal.timeout(longestMs),
      headers: { connection: "close" },
    });
    await response.text();
    const ms = performance.now() - begin;
    const worked = workedMs(pid) - before;
    if (ms > limitMs && worked > limitMs)
      hung(`answered a health check after ${ms.toFixed(0)} ms, of which it worked ${worked.toFixed(0)} ms`);
  }
  const probe = async () => {
    while (!stopped) {
      await once().catch((error: unknown) => {
        if (!stopped && error instanceof Error && error.name === "TimeoutError")
          hung(`answered no health check in ${longestMs} ms`);
      });
      await Bun.sleep(everyMs);
    }
  };
  void probe();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
    },
  };
}
