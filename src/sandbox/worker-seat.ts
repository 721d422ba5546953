import { AppError } from "../errors.ts";

export interface WorkerLimits {
  readonly timeoutMs: number;
  /** What the whole process may grow by while the worker works: a worker has no memory limit of its own. */
  readonly growthBytes: number;
  /** How long an idle worker stays. */
  readonly idleMs: number;
}

export interface WorkerSeat<Request, Answer> {
  /** One request after another. `what` begins the sentence of a failure. */
  ask(request: Request, signal: AbortSignal, what: string): Promise<Answer>;
  close(): void;
}

const watchEveryMs = 50;

/** The file of a worker: an entry point of the executable, or a source file beside this one. */
const workerPath = (name: string) =>
  Bun.main.startsWith("/$bunfs/") ? `/$bunfs/root/src/sandbox/${name}.js` : `${import.meta.dir}/${name}.ts`;

/** A place for one Worker, which is started when needed, stays for a while, and is ended when it goes past a limit. */
export function createWorkerSeat<Request, Answer>(
  name: string,
  limits: WorkerLimits,
): WorkerSeat<Request, Answer> {
  let warm: Worker | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function end() {
    clearTimeout(idle);
    warm?.terminate();
    warm = undefined;
  }

  async function work(request: Request, signal: AbortSignal, what: string): Promise<Answer> {
    signal.throwIfAborted();
    clearTimeout(idle);
    const worker = (warm ??= new Worker(workerPath(name)));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const before = process.memoryUsage.rss();
    const until = performance.now() + limits.timeoutMs;
    const watch = setInterval(() => {
      if (process.memoryUsage.rss() - before > limits.growthBytes)
        reject(new AppError("payload_too_large", `${what} was given up: it takes too much memory.`));
      if (performance.now() > until) {
        const seconds = limits.timeoutMs / 1000;
        reject(new AppError("unavailable", `${what} was given up: it takes longer than ${seconds} seconds.`));
      }
    }, watchEveryMs);
    const cancel = () => reject(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = (event) => reject(new Error(`The worker ${name} failed: ${event.message}`));
    try {
      worker.postMessage(request);
      const answer = await promise;
      idle = setTimeout(end, limits.idleMs);
      idle.unref();
      return answer;
    } catch (error) {
      end();
      throw error;
    } finally {
      clearInterval(watch);
      signal.removeEventListener("abort", cancel);
    }
  }

  return {
    async ask(request, signal, what) {
      const mine = last.then(() => work(request, signal, what));
      last = mine.catch(() => undefined);
      return mine;
    },
    close: end,
  };
}
