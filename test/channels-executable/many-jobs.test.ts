import { expect, test } from "bun:test";
import { startExecutable } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { runsOf, token } from "./ticking-jobs.ts";

const many = runs(200, 1000);
const atOnce = 16;

test(`${many} jobs that are due at the same second all run, once and within the limit`, async () => {
  let asked = 0;
  let now = 0;
  let most = 0;
  await using model = scriptedModel(
    async () => {
      asked++;
      most = Math.max(most, ++now);
      await Bun.sleep(2);
      now--;
      return { text: "done" };
    },
    { keep: 1 },
  );
  await using server = await startExecutable({
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_JOB_CONCURRENCY: `${atOnce}`,
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  });
  const make = async (name: string, due: number) => {
    const body = JSON.stringify({ name, schedule: new Date(due).toISOString(), prompt: `Do ${name}.` });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${server.url}/api/jobs`, { method: "POST", headers, body });
    return `${answer.status} ${answer.ok ? "" : await answer.text()}`;
  };
  /** All of them, due so long from now; undefined when the moment came before the last one was made. */
  async function makeAll(aheadMs: number) {
    const due = Math.ceil(Date.now() / 1000) * 1000 + aheadMs;
    const names = Array.from({ length: many }, (_, n) => `job-${aheadMs}-${n}`);
    const answers = await Promise.all(names.map((name) => make(name, due)));
    if (Date.now() >= due) return undefined;
    expect(answers).toEqual(names.map(() => "200 "));
    return { due, names };
  }
  const made = (await makeAll(runs(3000, 6000))) ?? (await makeAll(30_000));
  if (made === undefined) throw new Error(`${many} jobs could not be made in half a minute.`);
  const { due, names } = made;
  const deadline = performance.now() + 120_000;
  while (asked < many && performance.now() < deadline) await Bun.sleep(20);
  for (let waiting = names; waiting.length > 0 && performance.now() < deadline;) {
    const found = await Promise.all(waiting.map((name) => runsOf(server.url, name)));
    waiting = waiting.filter((_, at) => ["queued", "running"].includes(found[at]?.[0]?.state ?? "queued"));
  }
  const all = await Promise.all(names.map((name) => runsOf(server.url, name)));
  expect(all.map((of) => of.map(({ slot, state, attempts }) => `${slot} ${state} ${attempts}`))).toEqual(
    names.map(() => [`${due} ran 1`]),
  );
  expect(most).toBeLessThanOrEqual(atOnce);
  expect(most).toBeGreaterThan(1);
}, 180_000);
