import { constants, Database } from "bun:sqlite";
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import * as v from "valibot";
import { type ResultTable, tableOf } from "./result-table.ts";
import { type SqliteAnswer, SqliteRequest } from "./sqlite-request.ts";
import { prepareStatement } from "./sqlite-statement.ts";

const cannotOpen = "the file is not the one that was looked at: it was replaced meanwhile; try again";

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Whether the file says that it keeps a write-ahead log (bytes 18 and 19 of the format). */
function usesLog(path: string): boolean {
  const head = Buffer.alloc(20);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head[18] === 2;
}

/**
 * A file that keeps a log, and has none now, is opened as one that does not change: SQLite would make files beside it to
 * read it, which a reader may not.
 */
function openFile({ path, write }: SqliteRequest): Database {
  if (write) return new Database(path, constants.SQLITE_OPEN_READWRITE);
  const address = `file://${path.split("/").map(encodeURIComponent).join("/")}?mode=ro`;
  const still = usesLog(path) && sizeOf(`${path}-wal`) === 0;
  return new Database(
    still ? `${address}&immutable=1` : address,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
}

/** Looks at what is open now: a path may have been swapped since it was looked at, a descriptor is what it is. */
function requireSame({ device, inode }: SqliteRequest) {
  const same = readdirSync("/proc/self/fd").some((name) => {
    try {
      const stat = fstatSync(Number(name), { bigint: true });
      return String(stat.dev) === device && String(stat.ino) === inode;
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  });
  if (!same) throw new Error(cannotOpen);
}

function run(request: SqliteRequest): ResultTable {
  using database = openFile(request);
  // Before anything is read: to mend a file from its journal is to change it.
  requireSame(request);
  database.run("PRAGMA trusted_schema = OFF");
  database.run("PRAGMA cell_size_check = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA busy_timeout = 5000");
  if (!request.write) database.run("PRAGMA query_only = ON");
  using statement = prepareStatement(database, request.sql);
  const names = statement.columnNames;
  if (new Set(names).size < names.length)
    throw new Error("several columns have one name: give them others with AS");
  const rows = Iterator.from(statement.safeIntegers(true).iterate(...request.parameters));
  const table = tableOf(
    rows.map((row) => names.map((name) => row[name])),
    names,
  );
  if (!request.write) return table;
  return { ...table, changed: database.query<{ n: number }, []>("SELECT changes() AS n").get()?.n ?? 0 };
}

function answer(text: string): SqliteAnswer {
  try {
    return { ok: true, table: run(v.parse(SqliteRequest, JSON.parse(text))) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return { ok: false, said: `${error instanceof Error ? error.message : "unknown"}${code}`.slice(0, 1000) };
  }
}

/**
 * Reads a request from standard input, runs its statement on an SQLite file and writes the answer, both as JSON. It runs
 * in a process of its own, in the sandbox: nothing else ends a statement that never ends, and a file made to break
 * SQLite breaks no more than that.
 */
export async function runSqliteProgram(): Promise<0> {
  process.stdout.write(JSON.stringify(answer(await Bun.stdin.text())));
  return 0;
}
