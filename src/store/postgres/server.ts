import { SQL } from "bun";
import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { storeLog as log } from "../../telemetry/log.ts";
import { first, int } from "../columns.ts";
import { asFault, codeOf, isUnreachable } from "./faults.ts";
import { closeNow } from "./session.ts";

export interface ClientOptions {
  readonly max: number;
  /** The server ends a statement that takes longer. */
  readonly timeoutMs: number;
  readonly readOnly?: boolean;
}

/** A server that was reached once. */
export interface Server {
  /** For people: database, host and port, without user and password. */
  readonly name: string;
  /** Makes a client, which connects when it is first used. */
  open(options: ClientOptions): SQL;
}

const connectSeconds = 5;
const idleMs = 3000;
const oldest = 150_000;

/** For people; a URL that cannot be read is not repeated, as it may hold a password. */
export function nameOf(databaseUrl: string): string {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new AppError("unavailable", "OPENCLAW_DATABASE_URL is no postgres://user:password@host/database.");
  const database = url.pathname.slice(1) || url.username;
  return `database ${JSON.stringify(database)} at ${url.host || "this machine"}`;
}

/** `behindPooler`: what pgbouncer and its like refuse is left out, and the time-out is then kept by us alone. */
function createServer(databaseUrl: string, behindPooler: boolean): Server {
  const name = nameOf(databaseUrl);
  const { searchParams } = new URL(databaseUrl);
  // As libpq does: encrypted when the server can, checked when the URL says so.
  const says = searchParams.has("sslmode") || searchParams.has("sslrootcert");
  return {
    name,
    open: ({ max, timeoutMs, readOnly = false }) =>
      new SQL({
        url: databaseUrl,
        adapter: "postgres",
        max,
        connectionTimeout: connectSeconds,
        ...(!says && { tls: "prefer" }),
        ...(behindPooler
          ? { prepare: false }
          : {
              connection: {
                statement_timeout: timeoutMs,
                // A process that was stopped in a transaction must not keep its locks from the others.
                idle_in_transaction_session_timeout: idleMs,
                ...(readOnly && { default_transaction_read_only: "on" }),
              },
            }),
      }),
  };
}

const About = v.object({ version: int, encoding: v.string() });

/** Asks who is there. Throws what the driver threw, or `unavailable` for a server that will not do. */
async function greet(server: Server): Promise<void> {
  const sql = server.open({ max: 1, timeoutMs: connectSeconds * 1000 });
  const timer = setTimeout(() => closeNow(sql), 2 * connectSeconds * 1000);
  try {
    const about = first(
      About,
      await sql`
        SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding`,
    );
    const { version = 0, encoding = "" } = about ?? {};
    if (version < oldest)
      throw new AppError(
        "unavailable",
        `The ${server.name} runs PostgreSQL ${Math.trunc(version / 10_000)}, and openclaw needs 15 at least.`,
      );
    if (encoding !== "UTF8")
      throw new AppError(
        "unavailable",
        `The ${server.name} has the encoding ${encoding}: create one with ENCODING 'UTF8'.`,
      );
  } finally {
    clearTimeout(timer);
    closeNow(sql);
  }
}

const retryMs = 500;

/** Waits at most `waitMs` for a server to answer. Throws `unavailable`, naming host and database, and what to do. */
export async function reachServer(databaseUrl: string, waitMs: number): Promise<Server> {
  const deadline = performance.now() + waitMs;
  let behindPooler = false;
  let server = createServer(databaseUrl, behindPooler);
  let told = false;
  for (;;) {
    try {
      await greet(server);
      return server;
    } catch (error) {
      if (!behindPooler && codeOf(error) === "08P01" && /startup parameter/.test(String(error))) {
        behindPooler = true;
        log.warn(
          `the ${server.name} is behind a pooler: its statement time-out is kept by this process alone`,
        );
        server = createServer(databaseUrl, behindPooler);
        continue;
      }
      if (!isUnreachable(error) || performance.now() >= deadline) throw cannotUse(server.name, error);
      if (!told)
        log.warn(`the ${server.name} does not answer: it is tried for ${waitMs / 1000} s`, { error });
      told = true;
    }
    await Bun.sleep(retryMs);
  }
}

/** Names the database that cannot be used, and why. */
export function cannotUse(name: string, error: unknown): AppError {
  const fault = asFault(error);
  if (fault === error) return fault;
  const reason =
    fault.code === "unavailable" ? fault.message : error instanceof Error ? error.message : String(error);
  return new AppError("unavailable", `The ${name} cannot be used. ${reason}`, { cause: error });
}
