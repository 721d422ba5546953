import { AppError, publicError } from "../../errors.ts";

/** What can be wrong, by the beginning of the code, and what to do about it. */
const faults: readonly (readonly [code: string, text: string])[] = [
  ["28", "The server refuses the user or the password: correct OPENCLAW_DATABASE_URL."],
  ["3D000", "There is no such database: create it, or correct OPENCLAW_DATABASE_URL."],
  ["42501", "The user of OPENCLAW_DATABASE_URL lacks the right to do this: let it own the database."],
  ["25006", "The database can only be read: let OPENCLAW_DATABASE_URL name the primary server."],
  ["53100", "The disk of the database server is full: free some space on it."],
  ["53300", "The server has no connection left: raise its max_connections, or lower OPENCLAW_DATABASE_POOL."],
  ["53", "The database server lacks memory or another resource: its log says more."],
  ["57014", "A statement took longer than OPENCLAW_DATABASE_TIMEOUT_SECONDS allows, and was ended."],
  ["55P03", "Another program holds the same rows: end that program, or its transaction."],
  ["40", "Other writes to the same rows came in between again and again: try again."],
  ["58", "The disk of the database server failed: its log says more."],
  ["XX", "The database is damaged, or the server failed: its log says more."],
  ["08P01", "The server and openclaw do not understand each other: its log says more."],
];

const tls = /^(UNABLE_TO_|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|ERR_POSTGRES_TLS)/;
const lost =
  /^(08(?!P01)|57P0|25P03|ERR_POSTGRES_(CONNECTION|IDLE_TIMEOUT|LIFETIME)|ECONN|EPIPE|EHOST|ENET|ETIMEDOUT|ENOTFOUND)/;

/** The server's SQLSTATE, else the code of what failed on the way; of one of our own, that of its cause. */
export function codeOf(error: unknown): string {
  const at: unknown = error instanceof AppError ? error.cause : error;
  if (!(at instanceof Error)) return "";
  if ("errno" in at && typeof at.errno === "string") return at.errno;
  return "code" in at && typeof at.code === "string" ? at.code : "";
}

/** True when the server cannot be reached now, or no longer: another connection may have more luck. */
export const isUnreachable = (error: unknown) => lost.test(codeOf(error)) || codeOf(error) === "53300";

/** True when the server, or the connection, takes no changes. */
export const isReadOnly = (error: unknown) => codeOf(error) === "25006";

/** True when a unique key was taken, perhaps by another process after this one had looked for it. */
export const isTakenKey = (error: unknown) => codeOf(error) === "23505";

/** True when another process came in between (55P03: it held a row for longer than a batch waits): the same once more may go well. */
export const isConflict = (error: unknown) =>
  ["40P01", "40001", "55P03"].includes(codeOf(error)) || isTakenKey(error);

/** Says what failed: `unavailable` with what to do when the database cannot be used, else `internal`. Holds no password. */
export function asFault(error: unknown): AppError {
  const code = codeOf(error);
  if (error instanceof AppError || code === "") return publicError(error);
  const text = textOf(code);
  if (text === undefined) return publicError(error);
  return new AppError("unavailable", `The store failed (${code}). ${text}`, { cause: error });
}

function textOf(code: string): string | undefined {
  const known = faults.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (known !== undefined) return known;
  if (lost.test(code)) return "The database server does not answer: see that it runs and can be reached.";
  if (tls.test(code))
    return "The certificate of the database server was refused: set sslmode and sslrootcert in OPENCLAW_DATABASE_URL.";
  return undefined;
}
