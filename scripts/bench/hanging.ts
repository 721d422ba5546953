import { askOnce } from "./load.ts";
import { median, type Program, quantile } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, withProgram } from "./setting.ts";

const path = "/v1/chat/completions";
const atOnce = 50;
const rounds = 7;
const firstTokenMs = 1000;

/** A provider that takes every connection and never says a word. */
function listenInSilence() {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return { url: `http://127.0.0.1:${listener.port}/v1`, stop: () => listener.stop(true) };
}

const environment = (setting: Setting, hanging: string, firstToken: number) => ({
  MODEL_PROVIDER_ENDPOINT: hanging,
  MODEL_PROVIDER_MODEL: "silent",
  OPENCLAW_PROVIDERS: JSON.stringify([{ name: "second", endpoint: setting.model, models: ["bench"] }]),
  OPENCLAW_FALLBACK_MODELS: "second/bench",
  OPENCLAW_LLM_FIRST_TOKEN_SECONDS: `${firstToken / 1000}`,
});

async function timed(program: Program, model: string): Promise<number> {
  const start = performance.now();
  await askOnce(program, path, { headers: login, model });
  return performance.now() - start;
}

/** Turns that name the second provider, one after the other. */
async function named(program: Program, total = 400): Promise<number[]> {
  const all: number[] = [];
  for (let turn = 0; turn < total; turn++) all.push(await timed(program, "second/bench"));
  return all;
}

/** Runs `act` while 50 turns wait for the first provider. */
async function whileHanging<T>(program: Program, act: () => Promise<T>): Promise<T> {
  const leave = new AbortController();
  const waiting = Array.from({ length: atOnce }, () =>
    fetch(`${program.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...login },
      body: JSON.stringify({ messages: [{ role: "user", content: "Hi." }] }),
      signal: leave.signal,
    }).catch(() => undefined),
  );
  // Until they have arrived, so that what is measured is the waiting and not the arrival.
  await Bun.sleep(1500);
  try {
    return await act();
  } finally {
    leave.abort();
    await Promise.all(waiting);
  }
}

/** The first of two providers hangs: what turns of the second lose by it, and when those of the first are answered. */
export async function measureHanging(setting: Setting): Promise<Row[]> {
  const silent = listenInSilence();
  try {
    const [alone, beside] = await withProgram(
      startOpenclaw(setting, environment(setting, silent.url, 60_000)),
      async (ours) => {
        await named(ours);
        const samples = { alone: [] as number[], beside: [] as number[] };
        for (let round = 0; round < rounds; round++) {
          samples.alone.push(quantile(await named(ours), 0.95));
          samples.beside.push(await whileHanging(ours, async () => quantile(await named(ours), 0.95)));
        }
        return [median(samples.alone), median(samples.beside)] as const;
      },
    );
    const slowest = await withProgram(
      startOpenclaw(setting, environment(setting, silent.url, firstTokenMs)),
      async (ours) =>
        Math.max(...(await Promise.all(Array.from({ length: atOnce }, () => timed(ours, "openclaw"))))),
    );
    return [
      ratioRow(
        "a turn that names the second provider, 50 hanging in the first, p95",
        "ms",
        beside,
        alone,
        1.2,
      ),
      limitRow(
        "50 turns at once answered by the second, slowest, beyond the first token's time-out",
        "ms",
        slowest - firstTokenMs,
        2000,
      ),
    ];
  } finally {
    silent.stop();
  }
}
