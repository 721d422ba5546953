import { SQL } from "bun";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A private MariaDB on a loopback port, with a database `shop` and a user that may do anything. */
export interface Mariadb extends AsyncDisposable {
  readonly url: string;
}

export const mariadbPassword = "not a secret: /@%";

/** Keeps a server for as long as its input stays open; it and its folder go with the process that started it. */
const keeper = `
trap '' INT TERM HUP
cd "$DIR" && mkdir data || exit 1
AS=
if [ "$(id -u)" = 0 ]; then chown nobody data; AS=--user=nobody; fi
ALL="--no-defaults $AS --datadir=$DIR/data --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0"
{ printf 'create database mysql;\\nuse mysql;\\nset @auth_root_socket=NULL;\\n'
  cat /usr/share/mysql/mysql_system_tables.sql /usr/share/mysql/mysql_system_tables_data.sql
  printf 'create database shop;\\n'
} | mariadbd $ALL --bootstrap > boot.log 2>&1
printf "%s\\n" "CREATE USER openclaw@'%' IDENTIFIED BY '$PASSWORD';" "GRANT ALL ON *.* TO openclaw@'%';" > data/init.sql
mariadbd $ALL --port="$PORT" --bind-address=127.0.0.1 --socket="$DIR/data/s" --skip-name-resolve --init-file="$DIR/data/init.sql" > server.log 2>&1 < /dev/null &
read -r _
kill -9 $!
wait
cd / && rm -rf "$DIR"
`;

const patienceMs = 30_000;

/** What the server said while it was made and started, its end. */
async function logsIn(folder: string) {
  const texts = ["boot.log", "server.log"].map((name) =>
    Bun.file(join(folder, name))
      .text()
      .catch(() => ""),
  );
  return (await Promise.all(texts)).join("").slice(-3000);
}

async function waitFor(url: string, folder: string) {
  const until = performance.now() + patienceMs;
  for (;;) {
    const sql = new SQL({ url, max: 1, connectionTimeout: 5 });
    try {
      return await sql`SELECT 1`;
    } catch (error) {
      if (performance.now() > until)
        throw new Error(
          `The MariaDB of the tests does not answer after ${patienceMs} ms.\n${await logsIn(folder)}`,
          { cause: error },
        );
      await Bun.sleep(50);
    } finally {
      await sql.close({ timeout: 0 }).catch(() => undefined);
    }
  }
}

export async function startMariadb(): Promise<Mariadb> {
  if (Bun.which("mariadbd", { PATH: "/usr/sbin:/usr/bin" }) === null)
    throw new Error("These tests need MariaDB: apt-get install mariadb-server-core.");
  const folder = await mkdtemp(join(tmpdir(), "openclaw-mariadb-"));
  await chmod(folder, 0o755);
  const port = freePort();
  const child = Bun.spawn(["sh", "-c", keeper], {
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      DIR: folder,
      PORT: String(port),
      PASSWORD: mariadbPassword,
    },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
  child.unref();
  const url = `mysql://openclaw:${encodeURIComponent(mariadbPassword)}@127.0.0.1:${port}/shop`;
  await waitFor(url, folder);
  return {
    url,
    async [Symbol.asyncDispose]() {
      await child.stdin.end();
      await child.exited;
    },
  };
}
