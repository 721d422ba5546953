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
  let said = "";
  for await (const bytes of child.stderr) {
    said += new TextDecoder().decode(bytes);
    if (said.includes("attached")) break;
  }
  clearTimeout(late);
  if (!said.includes("attached")) throw new Error(`strace could not attach to process ${pid}: ${said}`);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** Holds the database of a data folder as another program would, until it is disposed. */
export function holdDatabase(dataDir: string): AsyncDisposable {
  const database = new Database(join(dataDir, "openclaw.db"));
  database.run("BEGIN EXCLUSIVE");
  return {
    async [Symbol.asyncDispose]() {
      database.run("ROLLBACK");
      database.close();
    },
  };
}
