import { AppError } from "../../errors.ts";
import { openBeneath } from "../../linux/open-beneath.ts";
import type { CanQueryDatabases } from "../capabilities.ts";
import { catalog } from "./catalog.ts";
import type { DatabaseKind, ServerAnswer, ServerRequest } from "./database-messages.ts";
import type { Grant } from "../files/grant.ts";
import { shown } from "../paths.ts";
import type { Programs } from "../processes/programs.ts";
import type { ResultTable } from "./result-table.ts";
import type { Roots } from "../files/roots.ts";
import { runOnFile } from "./sqlite-file.ts";
import { createWorkerSeat, type WorkerLimits, type WorkerSeat } from "../worker-seat.ts";

/** A connection of the settings. */
export interface DatabaseConnection {
  readonly kind: DatabaseKind;
  /** Holds a password: never shown. */
  readonly url: string;
  readonly write: boolean;
}

export interface DatabaseParts {
  readonly roots: Roots;
  /** Real paths of folders that are never opened: the data folder. */
  readonly never: readonly string[];
  readonly programs: Programs;
}

export interface DatabaseLender {
  readonly lend: (caller: unknown, signal: AbortSignal) => CanQueryDatabases;
  close(): void;
}

/** What is asked of a database, once it is clear which it is. */
interface Asked {
  readonly sql: string;
  readonly parameters: readonly string[];
  readonly write: boolean;
}

const statementMs = 30_000;
/** SQLSTATE of a text that is no statement of the kind that is expected. */
const syntaxErrors: Readonly<Record<DatabaseKind, string>> = { postgres: "42601", mysql: "42000" };
const standardLimits: WorkerLimits = {
  timeoutMs: statementMs + 15_000,
  growthBytes: 512 * 1024 * 1024,
  idleMs: 30_000,
};

function readAnswer(name: string, { kind, write }: ServerRequest, answer: ServerAnswer): ResultTable {
  if (answer.ok) return answer.table;
  const { state, said } = answer;
  if (state === undefined)
    throw new AppError("unavailable", `Cannot ask the database ${name}: no answer from it (${said}).`);
  const hint =
    !write && state === syntaxErrors[kind]
      ? " `query` takes one SELECT, or SHOW, EXPLAIN; `execute` changes."
      : "";
  throw new AppError("bad_request", `The database ${name} refused it (SQLSTATE ${state}): ${said}.${hint}`);
}

/** SQLite files of the roots, and the servers of the settings: each of these has a thread, and one statement at a time. */
export function lendDatabases(
  connections: Readonly<Record<string, DatabaseConnection>>,
  parts: DatabaseParts,
  limits: WorkerLimits = standardLimits,
): DatabaseLender {
  const names = Object.keys(connections);
  const seats = new Map<string, WorkerSeat<ServerRequest, ServerAnswer>>();

  async function askServer(
    name: string,
    connection: DatabaseConnection,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<ResultTable> {
    if (asked.write && !connection.write)
      throw new AppError(
        "forbidden",
        `Cannot change the database ${name}: it may only be read here (OPENCLAW_DATABASES says no "write": true).`,
      );
    const seat =
      seats.get(name) ?? createWorkerSeat<ServerRequest, ServerAnswer>("databases/database-worker", limits);
    seats.set(name, seat);
    const { kind, url } = connection;
    const request = { kind, url, statementMs, ...asked };
    return readAnswer(name, request, await seat.ask(request, signal, `The statement for ${name}`));
  }

  function askFile(path: string, asked: Asked, signal: AbortSignal): Promise<ResultTable> {
    const { roots, never, programs } = parts;
    const act = asked.write ? "write" : "read";
    const { workspace } = roots;
    const grant: Grant = { act, roots: roots[act], workspace, never, openBeneath };
    if (grant.roots.length === 0)
      throw new AppError(
        "forbidden",
        `Cannot ${act} ${shown(path)}: no folder is granted for that, and it is none of the connections (${names.join(", ") || "there are none"}).`,
      );
    return runOnFile(grant, programs, { path, ...asked }, signal);
  }

  function which(database: string | undefined): string {
    const [only] = names;
    if (database !== undefined) return database;
    if (only !== undefined && names.length === 1) return only;
    const there = names.length === 0 ? "" : ` (${names.join(", ")})`;
    throw new AppError(
      "bad_request",
      `Say which \`database\`: a connection${there} or the path of an SQLite file.`,
    );
  }

  const connectionOf = (name: string) => (Object.hasOwn(connections, name) ? connections[name] : undefined);

  return {
    lend(_caller, signal) {
      async function ask(database: string | undefined, asked: Asked): Promise<ResultTable> {
        const name = which(database);
        const connection = connectionOf(name);
        return connection ? askServer(name, connection, asked, signal) : askFile(name, asked, signal);
      }
      const kindOf = (database: string | undefined) => connectionOf(which(database))?.kind ?? "sqlite";
      return {
        query: (database, sql) => ask(database, { sql, parameters: [], write: false }),
        execute: (database, sql) => ask(database, { sql, parameters: [], write: true }),
        tables: async (database) =>
          ask(database, { sql: catalog[kindOf(database)].tables, parameters: [], write: false }),
        schema: async (database, table) =>
          ask(database, { sql: catalog[kindOf(database)].schema, parameters: [table], write: false }),
      };
    },
    close() {
      for (const seat of seats.values()) seat.close();
    },
  };
}
