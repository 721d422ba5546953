import { load } from "./load.ts";
import { median, type Program, quantile } from "./process.ts";
import { limitRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw } from "./setting.ts";

const path = "/v1/chat/completions";
const rounds = 9;
let session = 0;
const ask = () => ({ headers: { ...login, "x-openclaw-session-id": `bench-${session++ % 200}` } });

/** A collector that takes everything, or one that takes the request and never answers. */
function listen(mood: "well" | "hangs") {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      await request.arrayBuffer();
      return mood === "hangs" ? new Promise<Response>(() => {}) : new Response();
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

interface Samples {
  readonly processor: number[];
  readonly perSecond: number[];
  readonly p99: number[];
}

const noSamples = (): Samples => ({ processor: [], perSecond: [], p99: [] });

async function take(program: Program, into: Samples) {
  const { latencies, processorMs, perSecond } = await load(program, path, { total: 600, atOnce: 16, ask });
  into.processor.push(processorMs);
  into.perSecond.push(perSecond);
  into.p99.push(quantile(latencies, 0.99));
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How long it takes from SIGTERM to the end. */
async function stopMs({ pid }: Program): Promise<number> {
  const begin = performance.now();
  process.kill(pid, "SIGTERM");
  while (runs(pid) && performance.now() - begin < 30_000) await Bun.sleep(5);
  return performance.now() - begin;
}

/** Of pairs that were measured one behind the other, so that what the machine does beside counts for both. */
const ratio = (ours: readonly number[], other: readonly number[]) =>
  median(ours.map((each, at) => each / (other[at] ?? each)));

/** What telemetry costs when it is on, and when its collector hangs, against the same server without it. */
export async function measureTelemetry(setting: Setting): Promise<Row[]> {
  const well = listen("well");
  const hangs = listen("hangs");
  const start = async (endpoint?: string) => {
    const env: Record<string, string> =
      endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    return (await startOpenclaw(setting, env)).program;
  };
  const programs = { off: await start(), on: await start(well.url), hanging: await start(hangs.url) };
  try {
    const samples = { off: noSamples(), on: noSamples(), hanging: noSamples() };
    for (const name of ["off", "on", "hanging"] as const) await take(programs[name], noSamples());
    for (let round = 0; round < rounds; round++)
      for (const name of ["off", "on", "hanging"] as const) await take(programs[name], samples[name]);
    const { off, on, hanging } = samples;
    const stop = { off: await stopMs(programs.off), hanging: await stopMs(programs.hanging) };
    const slowdown = ratio(off.perSecond, hanging.perSecond);
    return [
      limitRow(
        "turns without telemetry to those with a hanging collector, a second",
        "x",
        slowdown,
        1 / 0.95,
      ),
      limitRow("p99 of a turn with a hanging collector to without", "x", ratio(hanging.p99, off.p99), 1.1),
      limitRow("a stop with a hanging collector, beyond one without", "ms", stop.hanging - stop.off, 2000),
      limitRow("processor time of a turn, telemetry on to off", "x", ratio(on.processor, off.processor), 1.3),
      limitRow("… with a hanging collector", "x", ratio(hanging.processor, off.processor), 1.3),
    ];
  } finally {
    for (const program of Object.values(programs)) await program.stop();
    well.stop();
    hangs.stop();
  }
}
