import { AppError } from "../errors.ts";
import { openConnection, type Connection } from "./connection.ts";
import { claimFolder, copyDatabase, type DataFolder } from "./data-folder.ts";
import type { Database } from "./database.ts";
import { asFault, isDamage } from "./faults.ts";
import { migrate, migrations as allMigrations } from "./migrations.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Tx } from "./tx.ts";
import { createWriter } from "./writer.ts";

export interface Store {
  /** Reads what is committed: each statement sees the newest commit. What `fn` would change is refused. */
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Writes, and resolves after the commit. All that wait run in one transaction, a savepoint each: one that throws
   * undoes and rejects itself alone, a commit that fails rejects all of them. `fn` may await nothing but its `tx`, and
   * may run again before its write is told: on PostgreSQL other processes can come in between.
   */
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** Resolves when a commit can be made, else throws `unavailable`, within 2 s, and says why. A good answer holds for a second. */
  check(): Promise<void>;
  /**
   * Inside a `write`: tells the processes that share the database, this one included, once it is committed. The payload
   * is an id or a cursor, at most 7,000 bytes. On SQLite there is nobody to tell.
   */
  signal(tx: Tx, topic: string, payload: string): Promise<void>;
  /**
   * Calls back with each signal of a topic until the function that is returned is called. An empty payload is "look
   * again": signals may have been missed. Never throws; on SQLite it never calls.
   */
  listen(topic: string, onSignal: (payload: string) => void): () => void;
  /** How many commits were made. */
  commits(): number;
  /** Waits for what was asked for, then gives the data folder back. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Made with mode 0700 when it is missing; this process has it for itself. */
  readonly dataDir: string;
  /** `postgres://…`: the database is there, and shared with other processes, instead of in the data folder. */
  readonly databaseUrl?: string | undefined;
  /** Connections to PostgreSQL. */
  readonly databasePool?: number;
  /** How long one statement may take on PostgreSQL. */
  readonly databaseTimeoutMs?: number;
  /** How long a PostgreSQL that is down is waited for. */
  readonly startWaitMs?: number;
  /** How long a write waits for another program that holds the database, or for a server that went away. */
  readonly lockWaitMs?: number;
  readonly migrations?: readonly Migration[];
}

/** Opens the database of a data folder for this process alone, or one that is shared. Throws `unavailable`, saying what to do. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { lockWaitMs = 5000, migrations = allMigrations } = options;
  const folder = await claimFolder(options.dataDir);
  try {
    if (options.databaseUrl === undefined)
      return createStore(await openSqlite(folder, lockWaitMs, migrations), folder.release);
    const { openPostgres } = await import("./postgres/open.ts");
    const database = await openPostgres({
      databaseUrl: options.databaseUrl,
      pool: options.databasePool ?? 10,
      timeoutMs: options.databaseTimeoutMs ?? 10_000,
      startWaitMs: options.startWaitMs ?? 30_000,
      lockWaitMs,
      migrations,
    });
    return createStore(database, folder.release);
  } catch (error) {
    folder.release();
    throw asFault(error);
  }
}

async function openSqlite(
  folder: DataFolder,
  lockWaitMs: number,
  migrations: readonly Migration[],
): Promise<Database> {
  const opened: Connection[] = [];
  // The writer last: it is the last connection that folds the log into the database, which a reader may not.
  const close = () => {
    for (const connection of opened.toReversed()) connection.close();
  };
  try {
    const writing = openConnection(folder.database, "write");
    opened.push(writing);
    const copy = (version: number) => copyDatabase(writing.tx, `${folder.database}.before-${version}`);
    await migrate({ ...writing, copy }, migrations);
    const reading = openConnection(folder.database, "read");
    opened.push(reading);
    const writer = createWriter(writing, { lockWaitMs });
    return { writer, read: async (fn) => fn(reading.tx), listen: () => hearNothing, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** One process has its SQLite for itself. */
const hearNothing = () => {};

/** A store that lives no longer than the process, for tests and for the self-test. */
export async function memoryStore(): Promise<Store> {
  const connection = openConnection(":memory:", "write");
  await migrate(connection);
  const writer = createWriter(connection, { lockWaitMs: 0 });
  // With a single connection reads stand in line with the writes, so that they see none that is half done.
  return createStore({ writer, read: writer.read, listen: () => hearNothing, close: connection.close });
}

const provenForMs = 1000;
/** Who watches the server waits no longer for an answer. */
const proofMs = 2000;

async function inTime(proof: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new AppError("unavailable", `The store took nothing in for ${proofMs} ms.`)),
    proofMs,
  );
  try {
    await Promise.race([proof, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function createStore({ writer, read, listen, close }: Database, release: () => void = () => {}): Store {
  let proof: { readonly written: Promise<unknown>; until: number } | undefined;
  /** Once a part of the database was found damaged the rest of it is not to be trusted either. */
  let damage: unknown;
  let closed: Promise<void> | undefined;

  const unlessClosed = async <T>(act: () => Promise<T>): Promise<T> => {
    if (closed !== undefined)
      throw new AppError("unavailable", "The store is closed: the server is stopping.");
    try {
      return await act();
    } catch (error) {
      if (isDamage(error)) damage = error;
      throw error;
    }
  };

  const prove = () => {
    if (proof === undefined || performance.now() > proof.until) {
      const written = writer.write((tx) => tx.dialect.prove(tx));
      const next = { written, until: Number.POSITIVE_INFINITY };
      proof = next;
      written.then(
        () => (next.until = performance.now() + provenForMs),
        () => (proof = undefined),
      );
    }
    return inTime(proof.written);
  };

  const closeAll = async () => {
    await writer.idle();
    try {
      close();
    } finally {
      release();
    }
  };

  return {
    read: (fn) => unlessClosed(() => read(fn)),
    write: (fn) => unlessClosed(() => writer.write(fn)),
    async check() {
      if (damage !== undefined) throw damage;
      await unlessClosed(prove);
    },
    signal: (tx, topic, payload) => tx.dialect.signal(tx, topic, payload),
    listen: (topic, onSignal) => (closed === undefined ? listen(topic, onSignal) : hearNothing),
    commits: writer.commits,
    close: () => (closed ??= closeAll()),
  };
}
