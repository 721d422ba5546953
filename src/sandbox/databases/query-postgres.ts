import type { ServerRequest } from "./database-messages.ts";
import { type ResultTable, rowsToAsk, type Row, tableOf } from "./result-table.ts";
import { namesOf, type Rows, type RunStatement } from "./statement.ts";

const fetchRows = 50;
const fetchesAtMost = Math.ceil(rowsToAsk / fetchRows);
/** What has rows and no cursor; told by its first word, as the server does. */
const shows = /^\s*(?:show|explain)\s/i;

const types = { bool: 16, bytea: 17 };

/** PostgreSQL's own text of a value: what Bun makes of it rounds numbers in JSON and cuts microseconds. */
function readCell(cell: unknown, type: number | undefined): unknown {
  if (!Buffer.isBuffer(cell)) return cell;
  const text = cell.toString();
  if (type === types.bool) return text === "t";
  return type === types.bytea && text.startsWith("\\x") ? Buffer.from(text.slice(2), "hex") : text;
}

const readRows = (rows: Rows): Iterable<Row> =>
  Iterator.from(rows).map((row) => row.map((cell, at) => readCell(cell, rows.columns?.[at]?.type)));

const readTable = (rows: Rows) => tableOf(readRows(rows), namesOf(rows));

async function prepareSession(run: RunStatement, statementMs: number) {
  await run(`SET statement_timeout = ${statementMs}`);
  await run(`SET lock_timeout = ${Math.ceil(statementMs / 2)}`);
  // So that the server ends a statement whose asker is gone. Older than 14, it lacks this and waits for the time-out.
  await run("SET client_connection_check_interval = '1s'").catch(() => undefined);
}

/** Rows through a cursor, so that no more of them come than are wanted. */
async function throughCursor(run: RunStatement, sql: string): Promise<ResultTable> {
  await run(`DECLARE openclaw NO SCROLL CURSOR FOR ${sql}`);
  const rows: Row[] = [];
  let table = tableOf(rows, []);
  for (let count = 0; count < fetchesAtMost; count += 1) {
    const batch = await run(`FETCH ${fetchRows} FROM openclaw`);
    rows.push(...readRows(batch));
    table = tableOf(rows, namesOf(batch));
    if (batch.length < fetchRows || table.more) break;
  }
  return table;
}

/**
 * A statement in a transaction in which PostgreSQL itself refuses to change anything. A cursor takes nothing but SELECT,
 * VALUES and TABLE, so that what acts in other ways (COPY, DO, CALL) does not come so far.
 */
async function readOnly(run: RunStatement, { sql, parameters }: ServerRequest): Promise<ResultTable> {
  await run("BEGIN READ ONLY");
  if (parameters.length > 0 || shows.test(sql)) return readTable(await run(sql, parameters));
  return throughCursor(run, sql);
}

export async function queryPostgres(run: RunStatement, request: ServerRequest): Promise<ResultTable> {
  await prepareSession(run, request.statementMs);
  if (!request.write) return readOnly(run, request);
  const rows = await run(request.sql);
  return { ...readTable(rows), changed: rows.affectedRows ?? 0 };
}
