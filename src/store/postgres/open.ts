import type { Migration } from "../migrations/migration.ts";
import type { Database } from "../database.ts";
import { createListener } from "./listener.ts";
import { migratePostgres } from "./migrate.ts";
import { createOutage } from "./outage.ts";
import { createPostgresReader } from "./reader.ts";
import { reachServer } from "./server.ts";
import { openSession } from "./session.ts";
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

/** Opens a database on a PostgreSQL server that other processes may share. Throws `unavailable`, saying what to do. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { timeoutMs } = options;
  const server = await reachServer(options.databaseUrl, options.startWaitMs);
  const migrating = await openSession(server.open({ max: 1, timeoutMs: migrationMs }), migrationMs);
  try {
    await migratePostgres(migrating, options.migrations);
  } finally {
    migrating.close();
  }
  const reader = createPostgresReader({
    open: (max) => server.open({ max, timeoutMs, readOnly: true }),
    max: Math.max(1, options.pool - 2),
    timeoutMs,
    outage: createOutage(`${server.name} (reading)`, options.lockWaitMs),
  });
  const writer = createPostgresWriter({
    connect: () => openSession(server.open({ max: 1, timeoutMs }), timeoutMs),
    outage: createOutage(`${server.name} (writing)`, options.lockWaitMs),
    jobMs: 3 * timeoutMs,
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
