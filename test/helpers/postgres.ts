import { SQL } from "bun";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A private PostgreSQL on a loopback port, with a user and a password that need escaping in a URL. */
export interface Cluster extends AsyncDisposable {
  readonly port: number;
  /** Goes when the cluster ends. */
  readonly folder: string;
  url(database?: string, more?: { user?: string; password?: string; query?: string }): string;
  /** As a crash does: no connection is told goodbye. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const clusterUser = "openclaw";
export const clusterPassword = "not a secret: /@%";

/**
 * Keeps a server for as long as its input stays open, so that it ends, and its folder goes, with the process that
 * started it, however that ends. PostgreSQL refuses to run as root.
 */
const keeper = `
trap '' INT TERM HUP
cd "$DIR" || exit 1
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$DIR"
  as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
else
  as() { "$@"; }
fi
say() { "$@" >> "$DIR/keeper.log" 2>&1 < /dev/null && echo ok || { echo failed; tail -n 20 "$DIR"/*.log >&2; }; }
up() { as "$BIN/pg_ctl" -D "$DIR/data" -w -t 30 -l "$DIR/server.log" -o "$OPTIONS" start; }
down() { as "$BIN/pg_ctl" -D "$DIR/data" -w -m immediate stop; }
make() { as "$BIN/initdb" -D "$DIR/data" -U "$USER_NAME" -A scram-sha-256 --pwfile="$DIR/password" -E UTF8 --locale=C.UTF-8 -N && up; }
say make
while read -r word; do
  case $word in start) say up;; stop) say down;; esac
done
down > /dev/null 2>&1
cd / && rm -rf "$DIR"
`;

const debian = "/usr/lib/postgresql";

/** Where the programs of the newest PostgreSQL are. */
function programs(): string {
  const versions = existsSync(debian)
    ? readdirSync(debian)
        .map(Number)
        .sort((a, b) => b - a)
    : [];
  const folder =
    versions.length > 0 ? `${debian}/${versions[0]}/bin` : Bun.which("initdb")?.replace(/\/initdb$/, "");
  if (folder === undefined) throw new Error("These tests need PostgreSQL: apt-get install postgresql.");
  return folder;
}

/** Starts a cluster of its own; `settings` are added to the server's, and may name files that `prepare` puts in its folder. */
export async function startCluster(
  settings: Record<string, string> = {},
  prepare: (folder: string) => Promise<unknown> = async () => {},
): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-postgres-"));
  await prepare(folder);
  await writeFile(join(folder, "password"), clusterPassword);
  const port = freePort();
  const all = { fsync: "off", shared_buffers: "16MB", listen_addresses: "127.0.0.1", ...settings };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  const child = Bun.spawn(["sh", "-c", keeper], {
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      DIR: folder,
      BIN: programs(),
      USER_NAME: clusterUser,
      OPTIONS: `-p ${port} -k '' ${options.join(" ")}`,
    },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    // A signal to the group of the tests must not end it before it has cleaned up.
    detached: true,
  });
  child.unref();
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const answer = async (word: string) => {
    const { value } = await answers.read();
    if (value?.trim() !== "ok")
      throw new Error(
        `The PostgreSQL of the tests said ${value?.trim() ?? "nothing"} to ${word}: see above.`,
      );
  };
  const ask = async (word: string) => {
    child.stdin.write(`${word}\n`);
    await child.stdin.flush();
    await answer(word);
  };
  await answer("initdb and start");
  return {
    port,
    folder,
    url(database = "postgres", { user = clusterUser, password = clusterPassword, query = "" } = {}) {
      return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}${query}`;
    },
    stop: () => ask("stop"),
    start: () => ask("start"),
    async [Symbol.asyncDispose]() {
      await child.stdin.end();
      await child.exited;
    },
  };
}

const key = Symbol.for("openclaw.test.cluster");
const shared: typeof globalThis & { [key]?: Promise<Cluster> } = globalThis;

/** The cluster of this test process, started when it is first asked for; it ends with the process. */
export const sharedCluster = (): Promise<Cluster> =>
  (shared[key] ??= startCluster({ max_connections: "200", deadlock_timeout: "50ms" }).catch((error) => {
    // Whoever asks next is not told of this start.
    delete shared[key];
    throw error;
  }));

/** An empty database of its own on the shared cluster. */
export async function postgresDatabase(): Promise<{ readonly url: string } & AsyncDisposable> {
  const cluster = await sharedCluster();
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administrate(cluster, `CREATE DATABASE ${name}`);
  return {
    url: cluster.url(name),
    [Symbol.asyncDispose]: () => administrate(cluster, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** Runs statements as the owner of the cluster. */
export async function administrate(cluster: Cluster, sql: string, database?: string): Promise<void> {
  await using client = new SQL({ url: cluster.url(database), max: 1 });
  await client.unsafe(sql).simple();
}
