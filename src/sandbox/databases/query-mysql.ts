import type { ServerRequest } from "./database-messages.ts";
import { type ResultTable, rowsToAsk, tableOf } from "./result-table.ts";
import { namesOf, type Rows, type RunStatement } from "./statement.ts";

/** Statements that only show something, which EXPLAIN does not take; told by their first word, as the server does. */
const shows = /^\s*(?:show|describe|desc|explain)\s/i;

const isResult = (row: unknown): row is Rows =>
  Array.isArray(row) && "columns" in row && Array.isArray(row.columns) && row.columns.length > 0;

/** CALL gives a list of results in place of rows; several of them are a row each, as JSON that begins with the names. */
function readTable(rows: Rows): ResultTable {
  const results = rows.columns ? [rows] : Array.from<unknown>(rows).filter(isResult);
  const [first] = results;
  if (first !== undefined && results.length === 1) return tableOf(first, namesOf(first));
  return tableOf(
    results.map((one) => [[namesOf(one), ...one]]),
    ["result"],
  );
}

async function prepareSession(run: RunStatement, statementMs: number) {
  const [mysql, mariadb] = [
    `max_execution_time = ${statementMs}`,
    `max_statement_time = ${statementMs / 1000}`,
  ];
  // Each of the two has one of them.
  await run(`SET SESSION ${mariadb}`).catch(() => run(`SET SESSION ${mysql}`));
  await run(`SET SESSION sql_select_limit = ${rowsToAsk}`);
  await run(`SET SESSION lock_wait_timeout = ${Math.ceil(statementMs / 1000)}`);
}

/**
 * A read-only transaction refuses to change rows, but DROP and the like end it first, and so can a block of statements:
 * only what EXPLAIN takes (SELECT, and changes, which it then refuses itself) comes so far. It takes `SELECT … INTO
 * OUTFILE` as well, which a read-only transaction lets write a file: within EXISTS no statement may have an INTO. Both are
 * asked for, because only what is a statement by itself cannot end the EXISTS early.
 */
async function readOnly(run: RunStatement, { sql, parameters }: ServerRequest): Promise<ResultTable> {
  await run("START TRANSACTION READ ONLY");
  if (parameters.length === 0 && !shows.test(sql)) {
    await run(`EXPLAIN FORMAT=JSON ${sql}`);
    // The end of the line ends a comment.
    await run(`EXPLAIN FORMAT=JSON SELECT EXISTS (${sql.replace(/;\s*$/, "")}\n)`);
  }
  return readTable(await run(sql, parameters));
}

export async function queryMysql(run: RunStatement, request: ServerRequest): Promise<ResultTable> {
  await prepareSession(run, request.statementMs);
  if (!request.write) return readOnly(run, request);
  const rows = await run(request.sql);
  return { ...readTable(rows), changed: rows.affectedRows ?? 0 };
}
