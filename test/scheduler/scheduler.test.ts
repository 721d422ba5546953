import { expect, test } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { AppError } from "../../src/errors.ts";
import type { JobSpec } from "../../src/store/job-spec.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { runs } from "../helpers/long.ts";
import { withPostgres, withStoreAt } from "../store/with-postgres.ts";
import { forEachStore } from "../store/stores.ts";
import { aJob, answer, aProcess, operator, says } from "./a-scheduler.ts";

/** An agent whose turns end when the test says so. */
function held() {
  let gate = Promise.withResolvers<void>();
  const agent: RunTurn = async function* (turn) {
    const { promise } = gate;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    turn.signal.addEventListener("abort", () => reject(turn.signal.reason), { once: true });
    await Promise.race([promise, aborted]);
    yield* answer("done");
  };
  return {
    agent,
    open() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
  };
}

/** Waits until something holds. */
async function until(holds: () => Promise<boolean> | boolean) {
  for (const deadline = performance.now() + 15_000; performance.now() < deadline;) {
    if (await holds()) return;
    await Bun.sleep(2);
  }
  throw new Error("It never came.");
}

forEachStore("createScheduler runs each slot once, as a turn of the job's own session", async (store) => {
  const one = aProcess(store);
  await one.make({ delivery: { channel: "telegram", recipient: "7" }, tokens: 500 });
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  await one.move("2026-11-23T11:00:30Z");
  await one.move("2026-11-23T12:00:01Z");
  expect(await one.told()).toEqual(["11:00 ran", "12:00 ran"]);
  const [first] = await one.runsOf();
  expect(first).toMatchObject({ sessionId: "job:report", attempts: 1, inputTokens: 10, outputTokens: 5 });
  expect(one.said.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    "answer did: Report.",
    "answer did: Report.",
  ]);
  const session = await store.read((tx) => sessions.find(tx, "job:report"));
  expect(session).toMatchObject({ owner: "operator", channel: "job" });
  await one.scheduler.stop();
});

forEachStore(
  "createScheduler claims a slot once for two processes that start at the same second",
  async (store) => {
    const clock = movedClock("2026-11-23T10:00:00Z");
    const one = aProcess(store, { clock, leaseMs: 60_000 });
    const two = aProcess(store, { clock, leaseMs: 60_000 });
    for (let n = 0; n < 20; n++) await one.make({ name: `job-${n}` });
    clock.move("2026-11-23T11:00:00Z");
    await Promise.all([one.start(), two.start()]);
    await Promise.all([one.quiet(), two.quiet()]);
    await until(async () =>
      (await Promise.all(Array.from({ length: 20 }, (_, n) => one.told(`job-${n}`))))
        .flat()
        .every((told) => told.endsWith("ran")),
    );
    for (let n = 0; n < 20; n++) expect(await one.told(`job-${n}`)).toEqual(["11:00 ran"]);
    expect((await store.read((tx) => sessions.list(tx, { limit: 200 }))).items).toHaveLength(20);
    await Promise.all([one.scheduler.stop(), two.scheduler.stop()]);
  },
);

test("createScheduler claims a slot once for two processes on one PostgreSQL", async () => {
  await withPostgres((first, url) =>
    withStoreAt(url, async (second) => {
      const clock = movedClock("2026-11-23T10:00:00Z");
      const one = aProcess(first, { clock, leaseMs: 60_000, concurrentRuns: 4 });
      const two = aProcess(second, { clock, leaseMs: 60_000, concurrentRuns: 4 });
      const names = Array.from({ length: runs(20, 500) }, (_, n) => `job-${n}`);
      for (const name of names) await one.make({ name });
      await Promise.all([one.start(), two.start()]);
      clock.move("2026-11-23T11:00:00Z");
      const told = async () => (await Promise.all(names.map((name) => one.told(name)))).flat();
      await until(async () => (await told()).filter((each) => each === "11:00 ran").length === names.length);
      expect(await told()).toHaveLength(names.length);
      const turns = await first.read((tx) => tx`SELECT count(*) AS count FROM turns`);
      expect(Number(turns[0]?.["count"])).toBe(names.length);
      await Promise.all([one.scheduler.stop(), two.scheduler.stop()]);
      await Promise.all([one.turns.drain(0), two.turns.drain(0)]);
    }),
  );
});

for (const [catchUp, expected] of [
  ["skip", ["10:05 missed", "10:10 missed", "10:15 missed"]],
  ["once", ["10:05 missed", "10:10 missed", "10:15 ran"]],
  ["all", ["10:05 missed", "10:10 ran", "10:15 ran"]],
] as const) {
  test(`createScheduler deals with what is overdue at a start as catchUp ${catchUp} says`, async () => {
    const store = await memoryStore();
    const one = aProcess(store, { catchUpMs: 600_000 });
    await one.make({ schedule: "*/5 * * * *", catchUp });
    one.clock.move("2026-11-23T10:18:00Z");
    await one.start();
    await one.quiet();
    expect(await one.told()).toEqual([...expected]);
    await one.move("2026-11-23T10:20:00Z");
    expect((await one.told()).at(-1)).toBe("10:20 ran");
    await one.scheduler.stop();
  });
}

test("createScheduler writes at most a hundred rows for what was missed, and counts the rest in one", async () => {
  const store = await memoryStore();
  const one = aProcess(store);
  await one.make({ schedule: "* * * * *" });
  one.clock.move("2026-11-23T18:00:00Z");
  await one.start();
  await one.quiet();
  const rows = await one.runsOf();
  expect(rows.reduce((sum, { slots }) => sum + slots, 0)).toBe(8 * 60);
  expect(rows.filter(({ state }) => state === "missed")).toHaveLength(101);
  expect(rows.filter(({ state }) => state === "ran").length).toBe(1);
  await one.scheduler.stop();
});

test("createScheduler neither floods nor skips when the clock jumps an hour forward and back", async () => {
  const store = await memoryStore();
  const one = aProcess(store);
  await one.make({ schedule: "*/10 * * * *" });
  await one.start();
  await one.move("2026-11-23T10:10:00Z");
  await one.move("2026-11-23T11:12:00Z");
  await one.move("2026-11-23T10:12:30Z");
  await one.move("2026-11-23T10:20:00Z");
  await one.move("2026-11-23T11:20:00Z");
  const told = await one.told();
  expect(told.filter((each) => each.endsWith("ran"))).toEqual(["10:10 ran", "11:10 ran", "11:20 ran"]);
  expect(new Set(told).size).toBe(told.length);
  await one.scheduler.stop();
});

forEachStore("createScheduler skips or queues what overlaps, each as a row", async (store) => {
  const { agent, open } = held();
  const one = aProcess(store, { agent });
  await one.make({ name: "skips", schedule: "* * * * *" });
  await one.make({ name: "queues", schedule: "* * * * *", overlap: "queue" });
  await one.start();
  for (const minute of [1, 2, 3]) {
    one.clock.move(`2026-11-23T10:0${minute}:00Z`);
    await one.scheduler.settled();
  }
  await until(async () => (await one.told("queues")).length === 3);
  expect(await one.told("skips")).toEqual(["10:01 running", "10:02 skipped", "10:03 skipped"]);
  expect(await one.told("queues")).toEqual(["10:01 running", "10:02 queued", "10:03 queued"]);
  await until(async () => {
    open();
    return (await one.told("queues")).every((each) => each.endsWith("ran"));
  });
  await one.quiet();
  await one.scheduler.stop();
});

forEachStore("createScheduler tries a run that failed again, then tells its delivery", async (store) => {
  const failing: RunTurn = async function* () {
    throw new AppError("provider_error", "The model is down.");
  };
  const one = aProcess(store, { agent: failing });
  await one.make({ retries: 1, delivery: { channel: "telegram", recipient: "7" } });
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  const [waiting] = await one.runsOf();
  expect(waiting).toMatchObject({ state: "queued", attempts: 1, reason: "tried again: The model is down." });
  expect(one.said.filter(({ delivery }) => delivery.answersOnly !== true)).toEqual([]);
  await one.move(20_000);
  const [ended] = await one.runsOf();
  expect(ended).toMatchObject({ state: "failed", attempts: 2, reason: "The model is down." });
  const told = one.said.filter(({ delivery }) => delivery.answersOnly !== true);
  expect(told.map(({ text }) => text)).toEqual([
    "Error: The job report failed after 2 attempts: The model is down.",
  ]);
  await one.scheduler.stop();
});

test("createScheduler cancels a run that takes too long", async () => {
  const store = await memoryStore();
  const { agent } = held();
  const one = aProcess(store, { agent });
  await one.make({ timeoutSeconds: 60, retries: 0 });
  await one.start();
  one.clock.move("2026-11-23T11:00:00Z");
  await until(async () => (await one.runsOf())[0]?.turnId !== undefined && one.clock.timers() > 1);
  await one.move(61_000);
  expect((await one.runsOf())[0]).toMatchObject({ state: "failed", reason: "it took longer than 60 s" });
  expect(one.turns.load()).toEqual({ running: 0, waiting: 0 });
  await one.scheduler.stop();
});

forEachStore(
  "createScheduler goes on with a slot whose process was killed between claim and turn",
  async (store) => {
    const never = () => new Promise<never>(() => {});
    const killed = aProcess(store, { turnsParts: { accept: never } });
    await killed.make();
    await killed.start();
    killed.clock.move("2026-11-23T11:00:00Z");
    await until(async () => (await killed.told()).includes("11:00 running"));
    // As far as the store can tell it is gone; the wait for its turn stays in this process.
    killed.scheduler.pause();
    const next = aProcess(store, { clock: movedClock("2026-11-23T11:00:10Z") });
    await next.start();
    await next.quiet();
    expect(await next.told()).toEqual(["11:00 ran"]);
    expect((await next.runsOf())[0]).toMatchObject({ attempts: 1 });
    await next.scheduler.stop();
  },
);

forEachStore(
  "createScheduler finds the turn of a slot again that was accepted before a kill",
  async (store) => {
    let begun = 0;
    const { agent, open } = held();
    const counting: RunTurn = (turn) => {
      begun += 1;
      return agent(turn);
    };
    const one = aProcess(store, { agent: counting });
    await one.make();
    await one.start();
    one.clock.move("2026-11-23T11:00:00Z");
    await until(async () => (await one.runsOf())[0]?.turnId !== undefined);
    // The scheduler is gone, the turn is not.
    await one.scheduler.stop();
    const next = aProcess(store, { clock: movedClock("2026-11-23T11:00:10Z"), turnsParts: one.turns });
    await next.start();
    await until(() => begun === 1);
    open();
    await next.quiet();
    expect(await next.told()).toEqual(["11:00 ran"]);
    expect(begun).toBe(1);
    await next.scheduler.stop();
  },
);

test("createScheduler ends the run of a job that deletes itself while it runs", async () => {
  const store = await memoryStore();
  const agent: RunTurn = async function* (turn) {
    await one.jobs.remove("report", operator);
    yield* says(turn);
  };
  const one = aProcess(store, { agent });
  await one.make();
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  expect(await one.told()).toEqual(["11:00 ran"]);
  expect(one.clock.timers()).toBe(0);
  await one.scheduler.stop();
});

test("createScheduler declares the jobs of the settings, and disables those that are gone from there", async () => {
  const store = await memoryStore();
  const prompt = "p".repeat(1_000_000);
  const one = aProcess(store, { jobs: [aJob({ prompt }), aJob({ name: "other" })] });
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  expect(await one.told()).toEqual(["11:00 ran"]);
  await expect(one.jobs.remove("report", operator)).rejects.toMatchObject({ code: "conflict" });
  await expect(one.jobs.update("report", { enabled: false }, operator)).rejects.toThrow("OPENCLAW_JOBS");
  await one.scheduler.stop();

  const later = movedClock("2026-11-23T12:10:00Z");
  const next = aProcess(store, { clock: later, jobs: [aJob({ prompt })] });
  await next.start();
  await next.quiet();
  // Its slots went on where they were: what came due in between is made up for.
  expect(await next.told()).toEqual(["11:00 ran", "12:00 ran"]);
  expect((await next.jobs.get("other")).job).toMatchObject({ source: "removed", enabled: false });
  expect(await next.told("other")).toEqual(["11:00 ran"]);
  await next.scheduler.stop();
});

test("createScheduler declares jobs that were read again as soon as the store takes them", async () => {
  const store = await memoryStore();
  let fails = false;
  const write: typeof store.write = (act) =>
    fails ? Promise.reject(new AppError("unavailable", "The store is locked.")) : store.write(act);
  const jobs: JobSpec[] = [];
  const one = aProcess({ ...store, write }, { jobs });
  await one.start();
  jobs.push(aJob());
  fails = true;
  await one.scheduler.redeclare();
  await expect(one.jobs.get("report")).rejects.toMatchObject({ code: "not_found" });

  fails = false;
  await one.move("2026-11-23T10:00:05Z");
  await until(async () => (await one.jobs.list({ limit: 1 })).items.length === 1);

  await one.move("2026-11-23T11:00:00Z");
  // The job is in the store before its first slot is waited for.
  await until(async () => (await one.told()).some((each) => each.endsWith("ran")));
  await one.quiet();
  expect(await one.told()).toEqual(["11:00 ran"]);
  await one.scheduler.stop();
  expect(one.clock.timers()).toBe(0);
});

test("createScheduler runs a job now when it is asked to, whatever its schedule", async () => {
  const store = await memoryStore();
  const { agent, open } = held();
  const one = aProcess(store, { agent });
  await one.make({ enabled: false });
  await one.start();
  const { slot } = await one.jobs.run("report", operator);
  await until(async () => (await one.runsOf())[0]?.state === "running");
  await expect(one.jobs.run("report", operator)).rejects.toMatchObject({ code: "conflict" });
  await until(async () => {
    open();
    return (await one.runsOf())[0]?.state === "ran";
  });
  expect(await one.runsOf()).toMatchObject([{ slot, manual: true, state: "ran" }]);
  await one.quiet();
  await one.scheduler.stop();
});

test("createScheduler runs many jobs of one second within its limit", async () => {
  const store = await memoryStore();
  const many = runs(200, 1000);
  let now = 0;
  let most = 0;
  const agent: RunTurn = async function* (turn) {
    most = Math.max(most, (now += 1));
    await Bun.sleep(1);
    now -= 1;
    yield* says(turn);
  };
  const one = aProcess(store, { agent, concurrentRuns: 16 });
  for (let n = 0; n < many; n++) await one.make({ name: `job-${n}` });
  await one.start();
  expect(one.clock.timers()).toBe(1);
  await one.move("2026-11-23T11:00:00Z");
  for (let n = 0; n < many; n++) expect(await one.told(`job-${n}`)).toEqual(["11:00 ran"]);
  expect(most).toBeLessThanOrEqual(16);
  expect(one.clock.timers()).toBe(1);
  await one.scheduler.stop();
});
