import { Database } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const attachMs = 10_000;

/** Whether every thread of a process is held by a tracer: strace passes one over that begins while it looks around. */
function isTraced(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    try {
      return !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "latin1"));
    } catch {
      // It ended meanwhile.
      return true;
    }
  });
}

/** Lets system calls of a running process fail with `error`, by strace, until it is disposed. */
export async function failCalls(pid: number, calls: string, error: string): Promise<AsyncDisposable> {
  for (let attempt = 1; ; attempt += 1) {
    const attached = await attach(pid, calls, error);
    if (isTraced(pid)) return attached;
    await attached[Symbol.asyncDispose]();
    if (attempt === 20) throw new Error(`strace did not attach to every thread of process ${pid}.`);
  }
}

async function attach(pid: number, calls: string, error: string): Promise<AsyncDisposable> {
  const child = Bun.spawn(
    [
      "strace",
      "--follow-forks",
      "--output=/dev/null",
      `--trace=${calls},pwrite64`,
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
