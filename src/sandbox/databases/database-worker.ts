import { SQL } from "bun";
import type { ServerAnswer, ServerRequest } from "./database-messages.ts";
import { queryMysql } from "./query-mysql.ts";
import { queryPostgres } from "./query-postgres.ts";
import type { ResultTable } from "./result-table.ts";
import { type RunStatement, statementsOf } from "./statement.ts";

// An entry point of the executable: answers come here, so that a huge one can be thrown away with the thread.
declare const self: Worker;

const connectSeconds = 10;

async function withConnection(
  { kind, url }: ServerRequest,
  act: (run: RunStatement) => Promise<ResultTable>,
): Promise<ResultTable> {
  // A connection of its own for each call: what a statement sets, opens or leaves behind goes with it.
  const options = { url, adapter: kind, max: 1, connectionTimeout: connectSeconds, bigint: true };
  const isPostgres = kind === "postgres";
  // Without names for statements PostgreSQL sends every value as text, also when one is run again.
  const sql = new SQL(isPostgres ? { ...options, prepare: false } : options);
  try {
    const connection = await sql.reserve();
    return await act(statementsOf(connection, isPostgres ? "raw" : "values"));
  } finally {
    await sql.close({ timeout: 0 }).catch(() => undefined);
  }
}

function failure(error: unknown): ServerAnswer {
  if (!(error instanceof Error)) return { ok: false, said: "unknown" };
  const field = (name: string) => (name in error ? String(Reflect.get(error, name)) : "");
  const state = [field("sqlState"), field("errno")].find((code) => /^[0-9A-Z]{5}$/.test(code));
  const hint = field("hint");
  // What has no SQLSTATE is ours or the driver's, and might name the address.
  if (state === undefined) return { ok: false, said: field("code").slice(0, 60) || "unknown" };
  return { ok: false, state, said: `${error.message}${hint === "" ? "" : ` (${hint})`}`.slice(0, 1000) };
}

async function answer(request: ServerRequest): Promise<ServerAnswer> {
  const query = request.kind === "postgres" ? queryPostgres : queryMysql;
  return { ok: true, table: await withConnection(request, (run) => query(run, request)) };
}

self.onmessage = ({ data }: MessageEvent<ServerRequest>) => {
  answer(data)
    .catch(failure)
    .then((said) => self.postMessage(said));
};
