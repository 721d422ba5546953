import { AppError, busy } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { asFault, isBusy } from "./faults.ts";
import type { Row, SqlValue, Tx } from "./tx.ts";

export interface Writer {
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs in line with the writes and may change nothing: for a connection that has no reader beside it. */
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  commits(): number;
  /** Resolves when all that was asked for is done. */
  idle(): Promise<void>;
}

interface Job {
  readonly changes: boolean;
  /** What it returns tells the caller, after the commit. */
  run(tx: Tx): Promise<() => void>;
  reject(error: unknown): void;
}

/** Bounds the time that all other work waits for one batch. */
const batchJobs = 256;
const waitingJobs = 20_000;
const retryMs = 10;

export interface WriterOptions {
  /** How long to wait for another program that holds the database. */
  readonly lockWaitMs: number;
  /** A write awaits only statements, which take microseconds: one that is not done by then never will be. */
  readonly jobMs?: number;
}

/** The one writer of a database: callers queue, and all that wait share a transaction and its commit. */
export function createWriter(connection: Connection, { lockWaitMs, jobMs = 5000 }: WriterOptions): Writer {
  // SQLite would wait standing still; `begin` waits without stopping everybody else.
  connection.run("PRAGMA busy_timeout = 0");
  const waiting: Job[] = [];
  let running: Promise<void> | undefined;
  let commits = 0;

  async function runAll() {
    while (waiting.length > 0) {
      // After the events of this moment were handled, so that what they write shares the commit.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await runBatch(waiting.splice(0, batchJobs));
    }
    running = undefined;
  }

  async function runBatch(batch: readonly Job[]) {
    const tell: (() => void)[] = [];
    try {
      if (connection.inTransaction()) connection.command("ROLLBACK");
      await begin(connection, lockWaitMs);
      for (const job of batch) {
        const done = await runJob(connection, job, jobMs);
        if (done !== undefined) tell.push(done);
      }
      connection.command("COMMIT");
    } catch (error) {
      // Nothing of the batch is stored; what was left open is undone before the next one.
      const fault = asFault(error);
      for (const job of batch) job.reject(fault);
      return;
    }
    commits += 1;
    for (const done of tell) done();
  }

  function queue<T>(changes: boolean, fn: (tx: Tx) => Promise<T>): Promise<T> {
    if (waiting.length >= waitingJobs) return Promise.reject(busy());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run = async (tx: Tx) => {
      const value = await fn(tx);
      return () => resolve(value);
    };
    waiting.push({ changes, run, reject });
    running ??= runAll();
    return promise;
  }

  return {
    write: (fn) => queue(true, fn),
    read: (fn) => queue(false, fn),
    commits: () => commits,
    idle: async () => running,
  };
}

async function begin(connection: Connection, waitMs: number) {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return connection.command("BEGIN IMMEDIATE");
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await Bun.sleep(retryMs);
  }
}

/** Runs one job in its savepoint. Throws only when the whole transaction is lost. */
async function runJob(connection: Connection, job: Job, jobMs: number): Promise<(() => void) | undefined> {
  const { tx, fault, end } = openTx(connection);
  connection.command("SAVEPOINT job");
  if (!job.changes) connection.run("PRAGMA query_only = ON");
  try {
    const done = await inTime(job.run(tx), jobMs);
    // Also when the job made light of it: in PostgreSQL nothing could follow a failed statement.
    if (fault() !== undefined) throw fault();
    connection.command("RELEASE job");
    return done;
  } catch (error) {
    // After some faults, a full disk for one, SQLite has undone the whole transaction itself.
    if (!connection.inTransaction()) throw error;
    connection.command("ROLLBACK TO job");
    connection.command("RELEASE job");
    job.reject(error);
    return undefined;
  } finally {
    end();
    if (!job.changes) connection.run("PRAGMA query_only = OFF");
  }
}

/** A `tx` that takes no more statements after one that failed, and none after its job has ended. */
function openTx(connection: Connection) {
  let fault: unknown;
  const run = async (parts: TemplateStringsArray, ...values: SqlValue[]): Promise<readonly Row[]> => {
    if (fault !== undefined) throw fault;
    try {
      return await connection.tx(parts, ...values);
    } catch (error) {
      fault = error;
      throw error;
    }
  };
  return {
    tx: Object.assign(run, { dialect: connection.tx.dialect }),
    fault: () => fault,
    end() {
      fault = new AppError(
        "internal",
        "A statement came after its write had ended: await every one of them.",
      );
    },
  };
}

async function inTime<T>(work: Promise<T>, jobMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const refuse = () =>
    late.reject(new AppError("internal", "A write waited for something else than its `tx`."));
  const timer = setTimeout(refuse, jobMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
