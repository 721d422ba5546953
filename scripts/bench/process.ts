import { readdirSync, readFileSync } from "node:fs";

/** A program under measurement. */
export interface Program {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** A loopback port that is free now. */
export function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  if (port === undefined) throw new Error("The system gave no port.");
  return port;
}

/**
 * Milliseconds from spawn until `path` answers 200. It is first asked when the program has said that it listens: asking
 * in vain before that would take the processor from what is measured.
 */
export async function timeToHealth(
  command: readonly string[],
  env: Record<string, string>,
  url: string,
  path = "/health",
) {
  const begin = performance.now();
  const child = Bun.spawn([...command], {
    env,
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const deadline = begin + 20_000;
  await child.stdout.getReader().read();
  for (;;) {
    const answered = await fetch(`${url}${path}`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) break;
    if (performance.now() > deadline) throw new Error(`${command[0]} did not answer in 20 s.`);
    await Bun.sleep(0.2);
  }
  const ms = performance.now() - begin;
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { ms, program: { pid: child.pid, url, stop } satisfies Program };
}

/** Milliseconds that a command takes from spawn to exit. */
export async function timeToExit(command: readonly string[], env: Record<string, string>) {
  const begin = performance.now();
  const child = Bun.spawn([...command], {
    env,
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
  return performance.now() - begin;
}

/** Processor time of all threads of a process so far, in milliseconds. */
export function processorMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      return 0; // The thread ended meanwhile.
    }
  });
  return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** Ticks of the clock that Linux counts processor time in, a second. */
const ticksPerSecond = 100;

/** Processor time of a process so far, also of threads that have ended, in milliseconds, by tens. */
export function allProcessorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** A line of /proc/PID/status in MB (10^6 bytes). */
export function memoryMb(pid: number, line: "VmRSS" | "VmHWM"): number {
  const found = readFileSync(`/proc/${pid}/status`, "utf8").match(new RegExp(`${line}:\\s+(\\d+) kB`));
  return (Number(found?.[1]) * 1024) / 1e6;
}
