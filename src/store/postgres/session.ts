import type { SQL } from "bun";
import { storable } from "../storable.ts";
import type { Row, SqlValue, Tx } from "../tx.ts";
import { postgresDialect } from "./dialect.ts";
import { asFault } from "./faults.ts";

/** One connection, on which statements run one after the other, in transactions of our own. */
export interface Session {
  readonly tx: Tx;
  /** Runs fixed text, one statement or several; resolves to what the server says it did, when it was one. */
  run(sql: string): Promise<string>;
  close(): void;
}

/** The server ends a slow statement itself; beyond this time more it is not there, or the network is not. */
const graceMs = 2000;

/** Calls `onSilence` when a statement is not answered in time; it is to close the client, which rejects what runs. */
export async function bounded<T>(
  query: PromiseLike<T>,
  timeoutMs: number,
  onSilence: () => void,
): Promise<T> {
  const timer = setTimeout(onSilence, timeoutMs + graceMs);
  try {
    return await query;
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects what runs. */
export function closeNow(sql: SQL) {
  // What is closed already, or was never opened, is closed.
  sql.close({ timeout: 0 }).catch(() => {});
}

/** Makes a `tx` of whatever runs statements; rejects with an `AppError`. */
export function createTx(
  query: (parts: TemplateStringsArray, values: SqlValue[]) => Promise<readonly Row[]>,
): Tx {
  const run = async (parts: TemplateStringsArray, ...values: SqlValue[]): Promise<readonly Row[]> => {
    try {
      // Without what the driver hangs on the rows.
      return Array.from(await query(parts, values.map(storable)));
    } catch (error) {
      throw asFault(error);
    }
  };
  return Object.assign(run, { dialect: postgresDialect });
}

/** Connects; `sql` is a client for this session alone. Rejects with what the driver threw. */
export async function openSession(sql: SQL, timeoutMs: number): Promise<Session> {
  const close = () => closeNow(sql);
  const answered = <T>(query: PromiseLike<T>) => bounded(query, timeoutMs, close);
  try {
    const connection = await answered(sql.reserve());
    return {
      tx: createTx((parts, values) => answered(connection<Row[]>(parts, ...values))),
      async run(text) {
        const done: { command?: unknown } = await answered(connection.unsafe(text).simple());
        return typeof done.command === "string" ? done.command : "";
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
