import { expect } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { createDeliveries } from "../../src/channels/deliver.ts";
import { createPairings } from "../../src/channels/pairing.ts";
import { AppError } from "../../src/errors.ts";
import * as pairings from "../../src/store/pairings.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { until } from "../helpers/until.ts";
import { forEachStore } from "../store/stores.ts";
import { aJob, aProcess, operator, says } from "./a-scheduler.ts";

/** An agent whose turns end, well or badly, when the test says so. */
function held(end: RunTurn) {
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const agent: RunTurn = async function* (turn) {
    begun += 1;
    await gate.promise;
    yield* end(turn);
  };
  return { agent, open: () => gate.resolve(), begun: () => begun };
}

const fails: RunTurn = async function* () {
  throw new AppError("provider_error", "The model is down.");
};

/** Long enough for every retry that there could be. */
async function hoursPass(one: ReturnType<typeof aProcess>) {
  for (let n = 0; n < 8; n++) await one.move(1_200_000);
}

/** The job's only run fails after what is done while it runs, and is not tried again. */
async function failsOnce(
  one: ReturnType<typeof aProcess>,
  { open, begun }: ReturnType<typeof held>,
  meanwhile: () => Promise<void>,
) {
  one.clock.move("2026-11-23T11:00:00Z");
  await until("it runs", () => begun() === 1);
  await meanwhile();
  open();
  await one.quiet();
  await hoursPass(one);
  expect(await became(one)).toEqual(["failed 1"]);
  expect(begun()).toBe(1);
  await one.scheduler.stop();
}

const became = async (one: ReturnType<typeof aProcess>) =>
  (await one.runsOf()).map(({ state, attempts }) => `${state} ${attempts}`);

forEachStore(
  "a job that is disabled while it runs ends that run, and nothing that waited begins",
  async (store) => {
    const { agent, open, begun } = held(says);
    const one = aProcess(store, { agent, concurrentRuns: 1 });
    await one.make({ schedule: "* * * * *", catchUp: "all", overlap: "queue" });
    one.clock.move("2026-11-23T10:05:30Z");
    await one.start();
    await until("the first runs", () => begun() === 1);
    await one.jobs.update("report", { enabled: false }, operator);
    open();
    await one.quiet();
    await hoursPass(one);
    expect(await became(one)).toEqual(["ran 1", "skipped 0", "skipped 0", "skipped 0", "skipped 0"]);
    expect((await one.runsOf()).at(-1)?.reason).toBe("the job was disabled");
    expect(begun()).toBe(1);
    await one.scheduler.stop();
  },
);

forEachStore("a job that is disabled while it runs is not tried again", async (store) => {
  const run = held(fails);
  const one = aProcess(store, { agent: run.agent });
  await one.make({ retries: 5 });
  await one.start();
  await failsOnce(one, run, async () => {
    await one.jobs.update("report", { enabled: false }, operator);
  });
});

forEachStore("a job that is gone from OPENCLAW_JOBS is not tried again", async (store) => {
  const { agent, open, begun } = held(fails);
  open();
  const one = aProcess(store, { agent, jobs: [aJob({ retries: 5 })] });
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  expect(await became(one)).toEqual(["queued 1"]);
  await one.scheduler.stop();
  const next = aProcess(store, { agent, clock: movedClock("2026-11-23T11:05:00Z") });
  await next.start();
  await hoursPass(next);
  expect(await became(next)).toEqual(["skipped 1"]);
  expect(begun()).toBe(1);
  await next.scheduler.stop();
});

forEachStore("a job whose maker is not admitted any more is not tried again", async (store) => {
  const run = held(fails);
  const one = aProcess(store, { agent: run.agent });
  const maker = {
    principal: { name: "post:ann", scope: "chat" },
    agent: { turnId: "t", onlyTools: [] },
  } as const;
  await one.jobs.create(aJob({ retries: 5 }), maker);
  const ann = { channel: "post", sender: "ann" };
  const asked = { ...ann, recipient: "ann", askedAt: 1, expiresAt: 2, tries: 0, salt: "s", codeHash: "h" };
  await store.write((tx) => pairings.ask(tx, asked, 0));
  await one.start();
  await failsOnce(one, run, async () => {
    const deliveries = createDeliveries(new Map(), { committed() {}, now: one.clock.now });
    const doors = createPairings({ store, deliveries, now: one.clock.now });
    expect(await doors.revoke({ ...ann, by: "operator" })).toBe(true);
  });
});

forEachStore("a run of a disabled job that somebody asked for is tried again", async (store) => {
  const { agent, open } = held(fails);
  open();
  const one = aProcess(store, { agent });
  await one.make({ enabled: false, retries: 1 });
  await one.start();
  await one.jobs.run("report", operator);
  await one.quiet();
  expect(await became(one)).toEqual(["queued 1"]);
  await one.move(20_000);
  expect(await became(one)).toEqual(["failed 2"]);
  await one.scheduler.stop();
});

forEachStore("a run that found no room is not begun once its job is disabled", async (store) => {
  const busy = () => Promise.reject(new AppError("busy", "Server is busy. Please retry."));
  let tries = 0;
  const accept = () => {
    tries += 1;
    return busy();
  };
  const one = aProcess(store, { turnsParts: { accept } });
  await one.make();
  await one.start();
  one.clock.move("2026-11-23T11:00:00Z");
  await until("it was tried", () => tries === 1);
  await one.quiet();
  await one.jobs.update("report", { enabled: false }, operator);
  await one.move(10_000);
  expect(await became(one)).toEqual(["skipped 0"]);
  expect(tries).toBe(1);
  await one.scheduler.stop();
});
