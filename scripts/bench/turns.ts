import { type Ask, firstTokens, load, tokenDelays } from "./load.ts";
import { median, memoryMb, type Program, quantile } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting, startFloor, startOpenclaw, withProgram } from "./setting.ts";

const path = "/v1/chat/completions";
const plain = (): Ask => ({ headers: login });
let session = 0;
const kept = (): Ask => ({ headers: { ...login, "x-openclaw-session-id": `bench-${session++ % 200}` } });

/** Processor time, latency, first token and pace of a turn, side by side with the bare proxy. */
export async function measureTurns(setting: Setting): Promise<Row[]> {
  return withProgram(startFloor(setting, setting.bareProxy), (proxy) =>
    withProgram(startOpenclaw(setting), (ours) => measure(proxy, ours)),
  );
}

interface Samples {
  readonly proxy: number[];
  readonly plain: number[];
  readonly kept: number[];
}

async function alternate(rounds: number, take: (program: "proxy" | "plain" | "kept") => Promise<number>) {
  const samples: Samples = { proxy: [], plain: [], kept: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["proxy", "plain", "kept"] as const) samples[name].push(await take(name));
  }
  return samples;
}

async function measure(proxy: Program, ours: Program): Promise<Row[]> {
  const of = { proxy, plain: ours, kept: ours };
  const ask = { proxy: () => ({}), plain, kept };
  const run = (name: keyof typeof of, total: number, atOnce: number) =>
    load(of[name], path, { total, atOnce, ask: ask[name] });
  for (const name of ["proxy", "plain", "kept"] as const) await run(name, 400, 16);

  const processor = await alternate(7, async (name) => (await run(name, 400, 16)).processorMs);
  const latency = await alternate(5, async (name) => median((await run(name, 150, 1)).latencies));
  const first = await alternate(5, async (name) =>
    median(await firstTokens(of[name], path, 100, ask[name]())),
  );
  const late = await alternate(3, async (name) => median(await tokenDelays(of[name], path, ask[name]())));
  const late95 = await alternate(3, async (name) =>
    quantile(await tokenDelays(of[name], path, ask[name]()), 0.95),
  );

  await load(ours, path, { total: 640, atOnce: 64, ask: plain });
  await load(ours, path, { total: 640, atOnce: 64, ask: kept });
  const peak = memoryMb(ours.pid, "VmHWM");

  const added = (samples: Samples, name: "plain" | "kept") => median(samples[name]) - median(samples.proxy);
  return [
    ratioRow(
      "processor time of a turn without a session, 16 at once",
      "ms",
      median(processor.plain),
      median(processor.proxy),
      6,
    ),
    ratioRow("… over a kept session, durable", "ms", median(processor.kept), median(processor.proxy), 10),
    limitRow("added latency without a session, 1 at once, p50", "ms", added(latency, "plain"), 1),
    limitRow("added latency over a kept session, 1 at once, p50", "ms", added(latency, "kept"), 2),
    limitRow("time to first token, added", "ms", added(first, "plain"), 1),
    limitRow("a token every 5 ms is passed on within, p50", "ms", median(late.plain), 1),
    limitRow("… p95, added to the proxy's", "ms", added(late95, "plain"), 1),
    limitRow("peak memory after 64 turns at once", "MB", peak, 80),
  ];
}
