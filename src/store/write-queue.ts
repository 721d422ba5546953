import { AppError, busy } from "../errors.ts";
import type { Row, SqlValue, Tx } from "./tx.ts";

/** Something that was asked for, which shares a transaction with those beside it. */
export interface Job {
  readonly changes: boolean;
  /** What it returns tells the caller, after the commit. */
  run(tx: Tx): Promise<() => void>;
  reject(error: unknown): void;
}

export interface WriteQueue {
  add<T>(changes: boolean, fn: (tx: Tx) => Promise<T>): Promise<T>;
  commits(): number;
  /** Resolves when all that was asked for is done. */
  idle(): Promise<void>;
}

/** Bounds the time that all other work waits for one batch. */
const batchJobs = 256;
const waitingJobs = 20_000;

/** Runs jobs in a transaction and never rejects; calls `committed` for each commit, before it tells anybody. */
export type RunBatch = (batch: readonly Job[], committed: () => void) => Promise<void>;

/** Hands what is asked for to `runBatch`: all that wait at once, and one batch at a time. */
export function createWriteQueue(runBatch: RunBatch): WriteQueue {
  const waiting: Job[] = [];
  let running: Promise<void> | undefined;
  let commits = 0;
  const committed = () => {
    commits += 1;
  };

  async function runAll() {
    while (waiting.length > 0) {
      // After the events of this moment were handled, so that what they write shares the commit.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await runBatch(waiting.splice(0, batchJobs), committed);
    }
    running = undefined;
  }

  return {
    add<T>(changes: boolean, fn: (tx: Tx) => Promise<T>): Promise<T> {
      if (waiting.length >= waitingJobs) return Promise.reject(busy());
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const run = async (tx: Tx) => {
        const value = await fn(tx);
        return () => resolve(value);
      };
      waiting.push({ changes, run, reject });
      running ??= runAll();
      return promise;
    },
    commits: () => commits,
    idle: async () => running,
  };
}

/** A `tx` for one job: it takes no more statements after one that failed, and none after its job has ended. */
export interface JobTx {
  readonly tx: Tx;
  /** What its first failed statement failed with. */
  fault(): unknown;
  /** Since when no statement of it runs; undefined while one does. */
  quietSince(): number | undefined;
  end(): void;
}

export function openJobTx(under: Tx): JobTx {
  let fault: unknown;
  let running = 0;
  let quietSince = performance.now();
  const run = async (parts: TemplateStringsArray, ...values: SqlValue[]): Promise<readonly Row[]> => {
    if (fault !== undefined) throw fault;
    running += 1;
    try {
      return await under(parts, ...values);
    } catch (error) {
      fault ??= error;
      throw error;
    } finally {
      running -= 1;
      quietSince = performance.now();
    }
  };
  return {
    tx: Object.assign(run, { dialect: under.dialect }),
    fault: () => fault,
    quietSince: () => (running > 0 ? undefined : quietSince),
    end() {
      fault = new AppError(
        "internal",
        "A statement came after its write had ended: await every one of them.",
      );
    },
  };
}

/** Ends the wait for a job that awaits something else than its statements for `quietMs`. */
export async function inTime<T>(work: Promise<T>, { quietSince }: JobTx, quietMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookIn = (ms: number) => {
    timer = setTimeout(() => {
      const quiet = performance.now() - (quietSince() ?? performance.now());
      if (quiet < quietMs) return lookIn(quietMs - quiet);
      late.reject(new AppError("internal", "A write waited for something else than its `tx`."));
    }, ms);
  };
  lookIn(quietMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
