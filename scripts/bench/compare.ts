import { freePort, median, memoryMb, type Program } from "./process.ts";
import { ratioRow, type Row } from "./row.ts";
import { type Setting, startOpenclaw } from "./setting.ts";

const rounds = 11;
const asks = 300;
const startsWithinMs = 30_000;

/** Spawn to the first answer of /health; both are asked in the same way, since another program may print nothing. */
async function startOther(command: string): Promise<{ ms: number; program: Program }> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const begin = performance.now();
  const child = Bun.spawn(["/bin/sh", "-c", `exec ${command}`], {
    env: { ...process.env, PORT: `${port}` },
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  while (
    !(await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    ))
  ) {
    if (performance.now() - begin > startsWithinMs) {
      await stop();
      throw new Error(`${command} did not answer 200 at ${url}/health: it must listen on $PORT.`);
    }
    await Bun.sleep(0.2);
  }
  return { ms: performance.now() - begin, program: { pid: child.pid, url, stop } };
}

async function healthMs({ url }: Program): Promise<number> {
  const all: number[] = [];
  for (let n = 0; n < asks; n++) {
    const begin = performance.now();
    await (await fetch(`${url}/health`)).text();
    all.push(performance.now() - begin);
  }
  return median(all);
}

interface Figures {
  readonly start: number[];
  readonly health: number[];
  readonly idle: number[];
}
const noFigures = (): Figures => ({ start: [], health: [], idle: [] });

async function addFigures(figures: Figures, starting: Promise<{ ms: number; program: Program }>) {
  const { ms, program } = await starting;
  figures.start.push(ms);
  figures.health.push(await healthMs(program));
  await Bun.sleep(300);
  figures.idle.push(memoryMb(program.pid, "VmRSS"));
  await program.stop();
}

/** Start, health and idle memory of ours beside any other executable, which listens on `$PORT`. */
export async function measureCompare(setting: Setting, command: string): Promise<Row[]> {
  const [ours, other] = [noFigures(), noFigures()];
  for (let round = 0; round < rounds; round++) {
    await addFigures(ours, startOpenclaw(setting));
    await addFigures(other, startOther(command));
  }
  const row = (name: keyof Figures, what: string, unit: string) =>
    ratioRow(`${what}, beside \`${command}\``, unit, median(ours[name]), median(other[name]), 1);
  return [
    row("start", "spawn to first `/health` 200", "ms"),
    row("health", "`/health`, p50", "ms"),
    row("idle", "resident memory after it", "MB"),
  ];
}
