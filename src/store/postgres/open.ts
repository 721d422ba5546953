import type { Migration } from "../migrations/migration.ts";
import type { Database } from "../database.ts";
import type { Tx } from "../tx.ts";
import { asFault } from "./faults.ts";
import { createListener } from "./listener.ts";
import { migratePostgres } from "./migrate.ts";
import { createOutage } from "./outage.ts";
import { createPostgresReader } from "./reader.ts";
import { cannotUse, reachServer, type Server } from "./server.ts";
import { openSession, type Session } from "./session.ts";
import { createPostgresWriter } from "./writer.ts";

export interface PostgresOptions {
  readonly databaseUrl: string;
  /** Connections of this process: one writes, one listens, the others read. */
  readonly pool: number;
  readonly timeoutMs: number;
  /** How long a server that is down is waited for, at the start. */
  readonly startWaitMs: number;
  /** The same for what is asked while it is down. */
  readonly lockWaitMs: number;
  readonly migrations: readonly Migration[];
}

const migrationMs = 600_000;

async function prepare(server: Server, migrations: readonly Migration[]) {
  let session: Session | undefined;
  try {
    session = await openSession(server.open({ max: 1, timeoutMs: migrationMs }), migrationMs);
    await migratePostgres(session, migrations);
  } catch (error) {
    const fault = asFault(error);
    throw fault.code === "unavailable" ? cannotUse(server.name, error) : fault;
  } finally {
    session?.close();
  }
}

/** Opens a database on a PostgreSQL server that other processes may share. Throws `unavailable`, saying what to do. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { timeoutMs } = options;
  const server = await reachServer(options.databaseUrl, options.startWaitMs);
  await prepare(server, options.migrations);
  const reader = createPostgresReader({
    open: (max) => server.open({ max, timeoutMs, readOnly: true }),
    max: Math.max(1, options.pool - 2),
    timeoutMs,
    outage: createOutage(`${server.name} (reading)`, options.lockWaitMs),
  });
  const writer = createPostgresWriter({
    connect: () => openSession(server.open({ max: 1, timeoutMs }), timeoutMs),
    outage: createOutage(`${server.name} (writing)`, options.lockWaitMs),
  });
  const listener = createListener({
    open: () => server.open({ max: 1, timeoutMs }),
    notify: (channel) => reader.tx`SELECT pg_notify(${channel}, '')`,
  });
  return {
    writer,
    read: (fn) => fn(reader.tx),
    listen: listener.listen,
    close() {
      listener.close();
      writer.close();
      reader.close();
    },
  };
}

/** Reads beside the processes that use a database; a server that is down is not waited for. */
export async function openPostgresForReading({
  databaseUrl,
  timeoutMs,
}: Pick<PostgresOptions, "databaseUrl" | "timeoutMs">) {
  const server = await reachServer(databaseUrl, 0);
  const reader = createPostgresReader({
    open: (max) => server.open({ max, timeoutMs, readOnly: true }),
    max: 1,
    timeoutMs,
    outage: createOutage(`${server.name} (reading)`, 0),
  });
  return { read: <T>(fn: (tx: Tx) => Promise<T>) => fn(reader.tx), close: reader.close };
}
