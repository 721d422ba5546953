import { join } from "node:path";
import * as v from "valibot";
import { load } from "./load.ts";
import { median, memoryMb, type Program, quantile } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting, startFloor, startOpenclaw, token, withProgram } from "./setting.ts";

const turns = 1000;
const rounds = 3;
const manyRequests = { BUN_CONFIG_MAX_HTTP_REQUESTS: "2000" };

let round = 0;

async function p99(program: Program, kind: "proxy" | "plain" | "kept"): Promise<number> {
  const client = Bun.spawn(
    [process.execPath, join(import.meta.dir, "waiters.ts"), program.url, kind, `${turns}`],
    {
      env: { ...manyRequests, TOKEN: token, ROUND: `${round++}` },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      timeout: 60_000,
    },
  );
  const text = await new Response(client.stdout).text();
  return quantile(v.parse(v.array(v.number()), JSON.parse(text)), 0.99);
}

async function commits(program: Program): Promise<number> {
  const response = await fetch(`${program.url}/metrics`, { headers: login });
  return v.parse(v.looseObject({ storeCommits: v.number() }), await response.json()).storeCommits;
}

let session = 0;

/** Commits of the store for each kept turn, so many at once. */
async function commitsATurn(program: Program, total: number, atOnce: number): Promise<number> {
  const before = await commits(program);
  const ask = () => ({ headers: { ...login, "x-openclaw-session-id": `commits-${session++ % 200}` } });
  await load(program, "/v1/chat/completions", { total, atOnce, ask });
  return ((await commits(program)) - before) / total;
}

/** 1,000 turns that wait for a model that takes a second, beside the bare proxy; and how many turns share a commit. */
export const measureWaiting = (setting: Setting): Promise<Row[]> =>
  withProgram(startFloor(setting, setting.bareProxy, manyRequests), (proxy) =>
    withProgram(startOpenclaw(setting, { OPENCLAW_MAX_CONCURRENT_TURNS: `${turns}` }), async (ours) => {
      const all = { proxy: [] as number[], plain: [] as number[], kept: [] as number[] };
      const peaks: number[] = [];
      for (let n = 0; n < rounds; n++) {
        all.proxy.push(await p99(proxy, "proxy"));
        all.plain.push(await p99(ours, "plain"));
        peaks.push(memoryMb(ours.pid, "VmHWM"));
        all.kept.push(await p99(ours, "kept"));
      }
      const alone = await commitsATurn(ours, 200, 1);
      const together = await commitsATurn(ours, 1280, 64);
      return [
        ratioRow("1,000 turns on a model of 1 s, p99", "ms", median(all.plain), median(all.proxy), 1.25),
        ratioRow("… over kept sessions, durable", "ms", median(all.kept), median(all.proxy), 1.25),
        limitRow("peak memory of the first thousand", "MB", peaks[0] ?? Number.NaN, 120),
        ratioRow("commits (`fsync`) of a kept turn, 64 at once beside 1", "", together, alone, 0.25),
      ];
    }),
  );
