import { Database } from "bun:sqlite";
import { join } from "node:path";

const attachMs = 10_000;

/** Lets system calls of a running process fail with `error`, by strace, until it is disposed. */
export async function failCalls(pid: number, calls: string, error: string): Promise<AsyncDisposable> {
  const child = Bun.spawn(
    [
      "strace",
      "--follow-forks",
      "--output=/dev/null",
      `--trace=${calls}`,
      `--inject=${calls}:error=${error}`,
      `--attach=${pid}`,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe", timeout: 60_000 },
  );
  const late = setTimeout(() => child.kill("SIGKILL"), attachMs);
  const attached = Promise.withResolvers<void>();
  // Read to its end: strace tells of each thread that begins, and a pipe that nobody reads any more would end it.
  const read = async () => {
    let said = "";
    for await (const bytes of child.stderr) {
      said += new TextDecoder().decode(bytes);
      if (said.includes("attached")) attached.resolve();
    }
    attached.reject(new Error(`strace could not attach to process ${pid}: ${said}`));
  };
  const ended = read();
  await attached.promise;
  clearTimeout(late);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
      await ended;
    },
  };
}

/** Holds the database of a data folder as another program would, until it is disposed. */
export function holdDatabase(dataDir: string): AsyncDisposable {
  const database = new Database(join(dataDir, "openclaw.db"));
  // The server may be writing just now.
  database.run("PRAGMA busy_timeout = 10000");
  database.run("BEGIN EXCLUSIVE");
  return {
    async [Symbol.asyncDispose]() {
      database.run("ROLLBACK");
      database.close();
    },
  };
}
