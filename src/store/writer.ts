import type { Connection } from "./connection.ts";
import { asFault, isBusy } from "./faults.ts";
import type { Tx } from "./tx.ts";
import { createWriteQueue, inTime, type Job, openJobTx } from "./write-queue.ts";

export interface Writer {
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  commits(): number;
  /** Resolves when all that was asked for is done. */
  idle(): Promise<void>;
}

/** The writer of SQLite can read in line with its writes, for a connection that has no reader beside it. */
export interface SqliteWriter extends Writer {
  /** What `fn` would change is refused. */
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
}

const retryMs = 10;

export interface WriterOptions {
  /** How long to wait for another program that holds the database. */
  readonly lockWaitMs: number;
  /** A write awaits only its statements: one that does nothing for so long never will. */
  readonly quietMs?: number;
}

/** The one writer of a database: callers queue, and all that wait share a transaction and its commit. */
export function createWriter(
  connection: Connection,
  { lockWaitMs, quietMs = 5000 }: WriterOptions,
): SqliteWriter {
  // SQLite would wait standing still; `begin` waits without stopping everybody else.
  connection.run("PRAGMA busy_timeout = 0");

  async function runBatch(batch: readonly Job[], committed: () => void) {
    const tell: (() => void)[] = [];
    try {
      if (connection.inTransaction()) connection.command("ROLLBACK");
      await begin(connection, lockWaitMs);
      for (const job of batch) {
        const done = await runJob(connection, job, quietMs);
        if (done !== undefined) tell.push(done);
      }
      connection.command("COMMIT");
    } catch (error) {
      // Nothing of the batch is stored; what was left open is undone before the next one.
      const fault = asFault(error);
      for (const job of batch) job.reject(fault);
      return;
    }
    committed();
    for (const done of tell) done();
  }

  const queue = createWriteQueue(runBatch);
  return {
    write: (fn) => queue.add(true, fn),
    read: (fn) => queue.add(false, fn),
    commits: queue.commits,
    idle: queue.idle,
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
async function runJob(connection: Connection, job: Job, quietMs: number): Promise<(() => void) | undefined> {
  const jobTx = openJobTx(connection.tx);
  const { tx, fault, end } = jobTx;
  connection.command("SAVEPOINT job");
  if (!job.changes) connection.run("PRAGMA query_only = ON");
  try {
    const done = await inTime(job.run(tx), jobTx, quietMs);
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
