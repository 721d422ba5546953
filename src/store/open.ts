import { AppError } from "../errors.ts";
import { openConnection, type Connection } from "./connection.ts";
import { claimFolder, copyDatabase } from "./data-folder.ts";
import { asFault } from "./faults.ts";
import { migrate } from "./migrations.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Tx } from "./tx.ts";
import { createWriter, type Writer } from "./writer.ts";

export interface Store {
  /** Reads what is committed: each statement sees the newest commit. What `fn` would change is refused. */
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Writes, and resolves after the commit. All that wait run in one transaction, a savepoint each: one that throws
   * undoes and rejects itself alone, a commit that fails rejects all of them. `fn` may await nothing but its `tx`.
   */
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** Resolves when a commit can be made, else throws `unavailable` and says why. A good answer holds for a second. */
  check(): Promise<void>;
  /** How many commits were made. */
  commits(): number;
  /** Waits for what was asked for, then gives the data folder back. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Made with mode 0700 when it is missing. */
  readonly dataDir: string;
  /** How long a write waits for another program that holds the database. */
  readonly lockWaitMs?: number;
  readonly migrations?: readonly Migration[];
}

/** Opens the database of a data folder for this process alone. Throws `unavailable`, saying what to do. */
export async function openStore({ dataDir, lockWaitMs = 5000, migrations }: StoreOptions): Promise<Store> {
  const folder = await claimFolder(dataDir);
  const opened: Connection[] = [];
  const close = () => {
    // The writer last: it is the last connection that folds the log into the database, which a reader may not.
    try {
      for (const connection of opened.toReversed()) connection.close();
    } finally {
      folder.release();
    }
  };
  try {
    const writing = openConnection(folder.database, "write");
    opened.push(writing);
    const copy = (version: number) => copyDatabase(writing.tx, `${folder.database}.before-${version}`);
    await migrate({ ...writing, copy }, migrations);
    const reading = openConnection(folder.database, "read");
    opened.push(reading);
    return createStore(createWriter(writing, { lockWaitMs }), async (fn) => fn(reading.tx), close);
  } catch (error) {
    close();
    throw asFault(error);
  }
}

/** A store that lives no longer than the process, for tests and for the self-test. */
export async function memoryStore(): Promise<Store> {
  const connection = openConnection(":memory:", "write");
  await migrate(connection);
  const writer = createWriter(connection, { lockWaitMs: 0 });
  // With a single connection reads stand in line with the writes, so that they see none that is half done.
  return createStore(writer, writer.read, connection.close);
}

const provenForMs = 1000;

function createStore(writer: Writer, read: Store["read"], closeDatabase: () => void): Store {
  let proof: { readonly written: Promise<unknown>; readonly until: number } | undefined;
  let closed: Promise<void> | undefined;

  const unlessClosed = async <T>(act: () => Promise<T>): Promise<T> => {
    if (closed === undefined) return act();
    throw new AppError("unavailable", "The store is closed: the server is stopping.");
  };

  const prove = () => {
    if (proof === undefined || performance.now() > proof.until) {
      // It changes nothing, and yet a page of it goes to the disk.
      const written = writer.write((tx) => tx`UPDATE schema_version SET version = version`);
      proof = { written, until: performance.now() + provenForMs };
      written.catch(() => {
        proof = undefined;
      });
    }
    return proof.written;
  };

  return {
    read: (fn) => unlessClosed(() => read(fn)),
    write: (fn) => unlessClosed(() => writer.write(fn)),
    async check() {
      await unlessClosed(prove);
    },
    commits: writer.commits,
    close: () => (closed ??= writer.idle().then(closeDatabase)),
  };
}
