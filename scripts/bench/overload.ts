import { quantile, type Program } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, withProgram } from "./setting.ts";

/** Turns at once that the server may run; each takes the model a second, so it can do as many a second. */
const capacity = 24;
const times = 10;
const overloadMs = 30_000;
const calmMs = 10_000;

const longestMs = 20_000;

interface Asked {
  readonly status: number;
  readonly ms: number;
  readonly saysWhen: boolean;
}

async function ask(program: Program, model: string): Promise<Asked> {
  const begin = performance.now();
  const response = await fetch(`${program.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...login },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hi." }] }),
  });
  await response.text();
  const saysWhen = response.headers.has("retry-after");
  return { status: response.status, ms: performance.now() - begin, saysWhen };
}

/** So many requests a second, whether or not those before were answered. Resolves when the last one was sent. */
async function offer(program: Program, perSecond: number, forMs: number) {
  const all: Promise<Asked>[] = [];
  const begin = performance.now();
  for (let sent = 0; performance.now() - begin < forMs;) {
    const due = ((performance.now() - begin) / 1000) * perSecond;
    for (; sent < due; sent++) all.push(ask(program, "slow"));
    await Bun.sleep(5);
  }
  return { answers: Promise.all(all) };
}

/** Milliseconds until turns are taken and answered as in a calm moment. */
async function timeToRecover(program: Program): Promise<number> {
  const begin = performance.now();
  for (let good = 0; good < 10;) {
    const { status, ms } = await ask(program, "bench");
    good = status === 200 && ms < 100 ? good + 1 : 0;
    if (performance.now() - begin > longestMs) break;
    if (good === 0) await Bun.sleep(20);
  }
  return performance.now() - begin;
}

const answered = (all: readonly Asked[], status: number) => all.filter((each) => each.status === status);
const p99 = (all: readonly Asked[]) =>
  quantile(
    all.map(({ ms }) => ms),
    0.99,
  );

/** Ten times the turns that the server can do: what it refuses, and how fast; what it has taken, and when it is itself again. */
export const measureOverload = (setting: Setting): Promise<Row[]> =>
  withProgram(
    startOpenclaw(setting, {
      OPENCLAW_MAX_CONCURRENT_TURNS: `${capacity}`,
      OPENCLAW_MAX_WAITING_TURNS: "0",
    }),
    async (ours) => {
      await (
        await offer(ours, capacity / 2, 3000)
      ).answers;
      const calm = await (await offer(ours, capacity / 2, calmMs)).answers;
      const load = await offer(ours, capacity * times, overloadMs);
      const recovery = await timeToRecover(ours);
      const all = await load.answers;
      const refused = answered(all, 503);
      const done = answered(all, 200);
      const strange = all.length - refused.length - done.length;
      const silent = refused.filter(({ saysWhen }) => !saysWhen).length;
      return [
        limitRow("overload at 10 x for 30 s: a refusal, p99", "ms", p99(refused), 50),
        limitRow("… neither answered nor refused with `Retry-After`", "turns", strange + silent, 0),
        ratioRow("… a turn that was taken, p99", "ms", p99(done), p99(calm), 1.1),
        limitRow(
          "… turns not done of those that it can do",
          "%",
          100 * (1 - done.length / (capacity * (overloadMs / 1000))),
          10,
        ),
        limitRow("… until it is as before when the load falls", "ms", recovery, 2000),
      ];
    },
  );
