import { expect, test } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { AppError } from "../../src/errors.ts";
import { assistantMessage } from "../../src/llm/message.ts";
import { declareJobs } from "../../src/scheduler/declared-jobs.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as turns from "../../src/store/turns.ts";
import { until } from "../helpers/until.ts";
import { someUsage } from "../helpers/scripted-llm.ts";
import { forEachStore } from "../store/stores.ts";
import { aJob, alice, aProcess, says } from "./a-scheduler.ts";

const requestsIn = async ({ store }: ReturnType<typeof aProcess>, sessionId: string) =>
  (await store.read((tx) => turns.list(tx, sessionId, { limit: 50 }))).items
    .map(({ request }) => JSON.parse(request))
    .toReversed();

forEachStore("sessionOf keeps a job out of a session of its name that is another's", async (store) => {
  for (const session of ["own", "fresh"] as const) {
    const one = aProcess(store);
    const name = `${session}-one`;
    const taken = session === "own" ? `job:${name}` : `job:${name}:${Date.parse("2026-11-23T11:00:00Z")}`;
    await store.write((tx) => sessions.open(tx, { id: taken, owner: "alice", channel: "http", now: 1 }));
    const { id } = await one.make({ name, session });
    await one.start();
    await one.move("2026-11-23T11:00:00Z");
    expect((await one.runsOf(name)).map((run) => run.sessionId)).toEqual([`${taken}:${id}`]);
    expect(await requestsIn(one, taken)).toEqual([]);
    await one.scheduler.stop();
  }
});

forEachStore(
  "declareJobs takes over an agent's job with none of its limits, and leaves its session alone",
  async (store) => {
    const one = aProcess(store);
    const agent = { turnId: "t1", onlyTools: ["time"] };
    const made = await one.jobs.create(aJob(), { principal: alice, agent });
    expect(made).toMatchObject({ madeByTurn: "t1", onlyTools: ["time"] });
    await one.start();
    await one.move("2026-11-23T11:00:00Z");
    await declareJobs(store, [aJob({ prompt: "Report all." })], one.clock.now());
    const { job } = await one.jobs.get("report");
    expect(job).toMatchObject({ id: made.id, owner: "operator", source: "declared" });
    expect([job.madeByTurn, job.onlyTools]).toEqual([undefined, undefined]);
    await one.move("2026-11-23T12:00:00Z");
    expect((await one.runsOf()).map((run) => run.sessionId)).toEqual(["job:report", `job:report:${made.id}`]);
    const [request] = await requestsIn(one, `job:report:${made.id}`);
    expect(request.onlyTools).toBeUndefined();
    await one.scheduler.stop();
  },
);

test("spentBefore leaves a retry what the earlier attempts left of the tokens of a run", async () => {
  const failing: RunTurn = async function* () {
    yield { type: "message", message: assistantMessage("half"), usage: someUsage, model: "m" };
    throw new AppError("provider_error", "The model is down.");
  };
  const one = aProcess(await memoryStore(), { agent: failing });
  await one.make({ retries: 2, tokens: 20 });
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  await one.move(60_000);
  await one.move(120_000);
  const requests = await requestsIn(one, "job:report");
  expect(requests.map(({ maxTokens }) => maxTokens)).toEqual([20, 5, 1]);
  await one.scheduler.stop();
});

test("sessionOf gives a job its own session while that is the job's", async () => {
  const one = aProcess(await memoryStore(), { agent: says });
  await one.make();
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  await one.move("2026-11-23T12:00:00Z");
  expect((await one.runsOf()).map((run) => run.sessionId)).toEqual(["job:report", "job:report"]);
  await one.scheduler.stop();
});

forEachStore(
  "sessionOfBegun finds the turn of a run whose job got another session meanwhile",
  async (store) => {
    let begun = 0;
    const gate = Promise.withResolvers<void>();
    const agent: RunTurn = async function* (turn) {
      begun += 1;
      await gate.promise;
      yield* says(turn);
    };
    const one = aProcess(store, { agent, jobs: [aJob()] });
    await one.start();
    one.clock.move("2026-11-23T11:00:00Z");
    await until("its turn runs", () => begun === 1);
    // OPENCLAW_JOBS is changed, and the server started again; the turn goes on from its last step.
    await one.scheduler.stop();
    const accepted: string[] = [];
    const accept: typeof one.turns.accept = async (turn, listener, also) => {
      const done = await one.turns.accept(turn, listener, also);
      accepted.push(done.sessionId);
      return done;
    };
    const jobs = [aJob({ session: "fresh", prompt: "Report anew." })];
    const next = aProcess(store, { clock: one.clock, turnsParts: { ...one.turns, accept }, jobs });
    await next.start();
    await until("the run is gone on with", () => accepted.length === 1);
    gate.resolve();
    await next.quiet();
    expect(accepted).toEqual(["job:report"]);
    expect(await next.told()).toEqual(["11:00 ran"]);
    expect(begun).toBe(1);
    await next.scheduler.stop();
  },
);
