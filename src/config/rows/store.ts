import * as v from "valibot";
import type { Environment, SettingRow } from "../setting-row.ts";
import { seconds, text, whole } from "../values.ts";

/** The message repeats nothing of the address: there is a password in it. */
const postgresUrl = v.pipe(
  text,
  v.check(
    (url) => /^postgres(ql)?:\/\/[^/]/i.test(url) && URL.canParse(url),
    "Expected postgres://user:password@host/database",
  ),
);

function defaultDataDir({ XDG_STATE_HOME, HOME }: Environment) {
  if (XDG_STATE_HOME?.startsWith("/")) return `${XDG_STATE_HOME}/openclaw`;
  return HOME?.startsWith("/") ? `${HOME}/.local/state/openclaw` : undefined;
}

export const storeRows = {
  dataDir: {
    env: "OPENCLAW_DATA_DIR",
    schema: text,
    path: "start",
    fallback: defaultDataDir,
    doc: "The one folder that is written (mode 0700); the database is `openclaw.db` in it.",
    shown: "`$XDG_STATE_HOME/openclaw`, else `~/.local/state/openclaw`",
    alias: ["OpenClaw__Memory__StoragePath"],
  },
  databaseUrl: {
    env: "OPENCLAW_DATABASE_URL",
    schema: postgresUrl,
    doc: "`postgres://user:password@host/database` of a PostgreSQL 15 or newer that several processes may share; `?sslmode=` and `&sslrootcert=` as in psql.",
    shown: "SQLite in the data folder",
    secret: true,
  },
  auditKey: {
    env: "OPENCLAW_AUDIT_KEY",
    schema: v.pipe(text, v.minLength(32, "Expected at least 32 characters")),
    doc: "Key that signs for swept rows of the audit trail: the same for all processes that share a database.",
    shown: "`audit.key` in the data folder, made when first needed",
    secret: true,
  },
  databasePool: {
    env: "OPENCLAW_DATABASE_POOL",
    schema: whole(3, 1000),
    fallback: "10",
    doc: "The most connections to PostgreSQL: one writes, one listens, the others read.",
  },
  databaseTimeoutMs: {
    env: "OPENCLAW_DATABASE_TIMEOUT_SECONDS",
    schema: seconds(600, 0.1),
    fallback: "10",
    doc: "How long one statement may take on PostgreSQL.",
  },
  leaseMs: {
    env: "OPENCLAW_LEASE_SECONDS",
    schema: seconds(600, 0.2),
    fallback: "10",
    doc: "How long a process on a shared PostgreSQL may be silent before the others take its turns over.",
  },
} as const satisfies Record<string, SettingRow>;
