import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { AppError } from "../../src/errors.ts";
import { createLanes, type Lanes } from "../../src/llm/lanes.ts";
import { inferProviders } from "../../src/llm/providers.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { runs } from "../helpers/long.ts";
import { type ModelServer, scriptedModel, type Step } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";
import { aRequest, collect, kinds } from "./asking.ts";
import { faults } from "./fault-table.ts";

setUpLog({ level: "error", pretty: false });

const timeoutMs = 300;
/** For what is not about time: a slow machine must not make a time-out of it. */
const patientMs = 10_000;
/** How late an end may come: a slow machine takes its time, and a slow drip goes on for longer. */
const slackMs = 5000;
const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;

function lanesAt(endpoint: string, ms = patientMs): Lanes {
  const providers = inferProviders({
    endpoint,
    key: "sk-secret-key",
    model: "m",
    timeoutMs: ms,
    silenceMs: ms / 3,
  });
  const settings = { fallbackModels: [], breakerThreshold: 0, breakerCooldownMs: 1000, maxConcurrent: 64 };
  return createLanes(providers, { record: async () => {} }, { retries: 1, ...settings });
}

async function failure({ llm }: Lanes): Promise<AppError> {
  try {
    await collect(llm(aRequest()));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It answered.");
}

test.each(faults)(
  "createLanes ends %s within its time, with a true error and without the key",
  async (...fault) => {
    const [, step, code] = fault;
    await using server = scriptedModel(() => step);
    const ms = code === "provider_timeout" ? timeoutMs : patientMs;
    const lanes = lanesAt(server.url, ms);
    const start = performance.now();
    const error = await failure(lanes);
    expect(performance.now() - start).toBeLessThan(ms + slackMs);
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("sk-secret-key");
  },
);

test("createLanes asks twice where that can help, and once where it cannot", async () => {
  const asked = async (step: Step) => {
    let times = 0;
    await using server = scriptedModel(() => (times++, step));
    await failure(lanesAt(server.url));
    return times;
  };
  // At once, so that it fits into the time of a call.
  const headers = { "retry-after-ms": "0" };
  for (const status of [408, 409, 429, 500, 502, 503, 529]) expect(await asked({ status, headers })).toBe(2);
  for (const status of [400, 401, 403, 404, 413, 501]) expect(await asked({ status, headers })).toBe(1);
});

test.each([
  ["gzip", (text: string) => Bun.gzipSync(text)],
  ["br", (text: string) => new Uint8Array(brotliCompressSync(text))],
])("createLanes reads an answer that is packed with %s", async (encoding, pack) => {
  const text = `${chunk({ content: "hi" })}data: [DONE]\n\n`;
  await using server = scriptedModel([{ rawBytes: [pack(text)], headers: { "content-encoding": encoding } }]);
  expect(kinds(await collect(lanesAt(server.url).llm(aRequest())))).toEqual(["hi", "answer"]);
});

test("createLanes bounds an answer without end, and stays usable", async () => {
  let isEndless = true;
  await using server = scriptedModel(() =>
    isEndless ? { text: Array(100_000).fill("x".repeat(1000)) } : { text: "hi" },
  );
  const lanes = lanesAt(server.url);
  expect(await failure(lanes)).toMatchObject({
    code: "provider_error",
    message: expect.stringMatching(/an answer of more than \d+ characters/),
  });
  isEndless = false;
  expect(kinds(await collect(lanes.llm(aRequest())))).toEqual(["hi", "answer"]);
});

const sockets = () => readdirSync("/proc/self/fd").length;

test("createLanes keeps neither memory nor sockets over a thousand faults", async () => {
  const quick = faults
    .map(([, step]) => step)
    .filter((step) => !step.hang && !step.gate && !step.rawBytes?.[39]);
  await using server = scriptedModel((_, index) => quick[index % quick.length] ?? {}, { keep: 0 });
  const lanes = lanesAt(server.url, timeoutMs);
  const round = async (times: number) => {
    for (let left = times; left > 0; left -= 10)
      await Promise.all(Array.from({ length: 10 }, () => failure(lanes).catch(() => undefined)));
    await settled(server);
    Bun.gc(true);
    return heapStats().objectCount;
  };
  const before = { objects: await round(50), sockets: sockets() };
  const times = runs(50, 1000);
  // One object kept for each of them would be `times`.
  expect((await round(times)) - before.objects).toBeLessThan(Math.max(400, times / 2));
  await until("the sockets of those that failed are closed", () => sockets() - before.sockets < 15);
}, 120_000);

const settled = (server: ModelServer) =>
  until("the server has noticed that its clients are gone", () => server.pending() === 0);
