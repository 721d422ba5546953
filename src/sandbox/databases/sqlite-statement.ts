import type { Database, Statement } from "bun:sqlite";

/** By the names of the columns, which differ. */
type Row = Readonly<Record<string, unknown>>;

/** What a statement may not do: it reaches other files, whatever the file and its rights are. */
const reachesOut = /^(?:sqlite_attach|sqlite_detach|load_extension|readfile|writefile|edit|fts3_tokenizer)\(/;

const plans: readonly (readonly string[])[] = [
  ["addr", "opcode", "p1", "p2", "p3", "p4", "p5", "comment"],
  ["id", "parent", "notused", "detail"],
];

interface Step {
  readonly opcode: string | null;
  readonly p4: unknown;
}

/** What SQLite made of a statement, step by step; undefined when it is an EXPLAIN, which does nothing. */
function stepsOf(
  database: Database,
  sql: string,
  columnNames: readonly string[],
): readonly Step[] | undefined {
  let plan: Statement<Step, []>;
  try {
    plan = database.prepare(`EXPLAIN ${sql}`);
  } catch (error) {
    const names = columnNames.join();
    if (plans.some((columns) => columns.join() === names)) return undefined;
    throw error;
  }
  using _ = plan;
  return plan.all();
}

/**
 * One statement that stays in its file. ATTACH and VACUUM INTO open, and make, any other, also where the connection may
 * only read; both are told by what SQLite compiles them to, not by their words. Throws an `Error` that a model may read.
 */
export function prepareStatement(database: Database, sql: string): Statement<Row, string[]> {
  const statement = database.prepare<Row, string[]>(sql);
  // The text of the statement as far as SQLite took it; with parameters it is longer, and they are only in ours.
  const rest = sql.slice(sql.indexOf(statement.toString()) + statement.toString().length);
  if (statement.paramsCount === 0 && rest.trim() !== "" && !isEmpty(database, rest))
    throw new Error("one statement a call: send the next one in another call");
  for (const { opcode, p4 } of stepsOf(database, sql, statement.columnNames) ?? []) {
    if (opcode === "Vacuum") throw new Error("VACUUM is not possible here: it writes other files");
    if (typeof p4 === "string" && opcode?.includes("Func") && reachesOut.test(p4))
      throw new Error(
        "other files (ATTACH, DETACH, extensions) are not possible here: name the file to work on",
      );
  }
  return statement;
}

/** Whether a text is blanks and comments alone, which SQLite makes no statement of. */
function isEmpty(database: Database, text: string): boolean {
  try {
    database.prepare(text).finalize();
    return false;
  } catch (error) {
    return error instanceof RangeError;
  }
}
