import { Database, type Statement } from "bun:sqlite";
import { sqliteDialect } from "./dialect.ts";
import { asFault } from "./faults.ts";
import { storable } from "./storable.ts";
import type { Row, SqlValue, Tx } from "./tx.ts";

/** One connection to SQLite, with every statement prepared once. */
export interface Connection {
  /** Runs a statement by itself, or in the transaction that is open; rejects with an `AppError`. */
  readonly tx: Tx;
  /** Runs fixed text without values, one statement or several, and throws what SQLite threw. */
  run(sql: string): void;
  /** The same for one short statement that comes often, such as `BEGIN`. */
  command(sql: string): void;
  inTransaction(): boolean;
  close(): void;
}

const lockWaitMs = 5000;

/** Opens a database, which only `write` access makes. Integers beyond 2^53 are refused when a row is read by its schema. */
export function openConnection(path: string, access: "read" | "write"): Connection {
  const database = new Database(
    path,
    access === "read" ? { readonly: true } : { readwrite: true, create: true },
  );
  try {
    // The log that a killed process left is read in here, and another program may hold it.
    database.run(`PRAGMA busy_timeout = ${lockWaitMs}`);
    if (access === "write") prepareForWriting(database);
  } catch (error) {
    database.close();
    throw error;
  }
  // A tagged template hands in the same array each time it is reached, so that no text is put together or looked up.
  const prepared = new Map<TemplateStringsArray, Statement<Row, SqlValue[]>>();
  const prepare = (parts: TemplateStringsArray) => {
    const sql = parts.reduce((text, part, index) => `${text}?${index}${part}`);
    const statement = database.prepare<Row, SqlValue[]>(sql);
    prepared.set(parts, statement);
    return statement;
  };
  const run = async (parts: TemplateStringsArray, ...values: SqlValue[]): Promise<readonly Row[]> => {
    try {
      return (prepared.get(parts) ?? prepare(parts)).all(...values.map(storable));
    } catch (error) {
      throw asFault(error);
    }
  };
  return {
    tx: Object.assign(run, { dialect: sqliteDialect }),
    run(sql) {
      database.run(sql);
    },
    command(sql) {
      database.query(sql).run();
    },
    inTransaction: () => database.inTransaction,
    close() {
      // An open statement would keep the connection, and its log, alive.
      for (const statement of prepared.values()) statement.finalize();
      database.close();
    },
  };
}

function prepareForWriting(database: Database) {
  database.run("PRAGMA journal_mode = WAL");
  // What is told to be committed is on the disk.
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  // After a burst of writes the log is cut back to this.
  database.run("PRAGMA journal_size_limit = 67108864");
}
