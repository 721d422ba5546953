import { AppError } from "../../errors.ts";
import { createWriteQueue, inTime, type Job, openJobTx } from "../write-queue.ts";
import type { Writer } from "../writer.ts";
import { asFault, isConflict, isReadOnly, isTakenKey, isUnreachable } from "./faults.ts";
import type { Outage } from "./outage.ts";
import type { Session } from "./session.ts";

export interface PostgresWriterOptions {
  connect(): Promise<Session>;
  readonly outage: Outage;
}

/** How often a write is tried by itself that others came in between of. */
const mostAttempts = 5;
/** A key that is taken is seen by then: a write that did not look for it will never go well. Nor does a server that is lost twice. */
const mostOfOthers = 1;
const pauseMs = 20;
/** A write awaits only its statements. Less than what the server leaves a transaction in which nothing happens. */
const quietMs = 2000;
/** Two batches that wait for each other's rows are told apart sooner than by the server, which takes a second. */
const batchLockMs = 250;

/**
 * The one writer of this process: callers queue, and all that wait share a transaction and its commit. A write may run
 * more than once before it is told, when another process came in between or the connection was lost before the commit.
 * What was not told may yet be stored, when it was lost in the commit.
 */
export function createPostgresWriter({ connect, outage }: PostgresWriterOptions): Writer & {
  close(): void;
} {
  let session: Session | undefined;
  const drop = () => {
    session?.close();
    session = undefined;
  };

  /** Nothing has happened as long as this fails, so that it can be tried on another connection. */
  async function begin(lockMs: number): Promise<Session> {
    for (;;) {
      try {
        session ??= await connect();
        await session.run(
          `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${lockMs}; SAVEPOINT job`,
        );
        outage.over();
        return session;
      } catch (error) {
        drop();
        if (!isUnreachable(error)) throw error;
        await outage.wait(error);
      }
    }
  }

  /** Resolves after the commit to what tells the callers. */
  async function transact(jobs: readonly Job[]): Promise<(() => void)[]> {
    const current = await begin(jobs.length > 1 ? batchLockMs : 0);
    let isCommitting = false;
    try {
      const tell: (() => void)[] = [];
      for (const job of jobs) tell.push(await runJob(current, job));
      isCommitting = true;
      const ended = await current.run("COMMIT");
      // A server answers so when it has undone everything instead.
      if (ended !== "COMMIT") throw new AppError("internal", `The server answered a COMMIT with ${ended}.`);
      return tell;
    } catch (error) {
      await current.run("ROLLBACK").catch(drop);
      // Another server may have become the one that takes writes.
      if (isReadOnly(error)) drop();
      throw isUnreachable(error) && !isCommitting ? new UndoneError(error) : error;
    }
  }

  /** After a write that was certainly undone: by itself a job holds no locks but its own. */
  async function runAlone(job: Job, committed: () => void) {
    for (let attempt = 1; ; attempt++) {
      try {
        const tell = await transact([job]);
        committed();
        for (const done of tell) done();
        return;
      } catch (error) {
        const most = isConflict(error) && !isTakenKey(error) ? mostAttempts : mostOfOthers;
        if (!isUndone(error) || attempt >= most) return job.reject(asFault(causeOf(error)));
      }
      await Bun.sleep(pauseMs * attempt * Math.random());
    }
  }

  const queue = createWriteQueue(async (batch, committed) => {
    try {
      const tell = await transact(batch);
      committed();
      for (const done of tell) done();
    } catch (error) {
      if (isUndone(error)) for (const job of batch) await runAlone(job, committed);
      else for (const job of batch) job.reject(asFault(error));
    }
  });

  return {
    write: (fn) => queue.add(true, fn),
    commits: queue.commits,
    idle: queue.idle,
    close: drop,
  };
}

/** The connection was lost before the commit was asked for, so that the server has undone everything. */
class UndoneError extends Error {
  constructor(override readonly cause: unknown) {
    super("The connection was lost before the commit.");
  }
}

const causeOf = (error: unknown) => (error instanceof UndoneError ? error.cause : error);
const isUndone = (error: unknown) => error instanceof UndoneError || isConflict(error);

/** Runs one job in the savepoint that is open. Throws only when the whole transaction is lost, or is to be run again. */
async function runJob(session: Session, job: Job): Promise<() => void> {
  const jobTx = openJobTx(session.tx);
  const { tx, fault, end } = jobTx;
  try {
    const done = await inTime(job.run(tx), jobTx, quietMs);
    if (fault() !== undefined) throw fault();
    // Comes after every statement of the job, and fails when one did that nobody awaited.
    await session.run("RELEASE job; SAVEPOINT job").catch((error: unknown) => {
      throw fault() ?? asFault(error);
    });
    return done;
  } catch (error) {
    const cause = fault() ?? error;
    if (isUnreachable(cause) || isReadOnly(cause) || isConflict(cause)) throw cause;
    await session.run("ROLLBACK TO job");
    return () => job.reject(error);
  } finally {
    end();
  }
}
