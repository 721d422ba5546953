import { expect } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { losesCommits } from "../helpers/lost-commits.ts";
import { until } from "../helpers/until.ts";
import { forEachStore } from "../store/stores.ts";
import { aProcess, answer } from "./a-scheduler.ts";

const leaseMs = 200;

forEachStore(
  "a run whose beginning was stored and not told is run, once, and so are the next",
  async (store) => {
    const lossy = losesCommits(store);
    const one = aProcess(lossy.store, { leaseMs });
    await one.make();
    await one.start();
    lossy.lose(/UPDATE job_runs SET state = 'running'/);
    one.clock.move("2026-11-23T11:00:00Z");
    await until("it ran", async () => (await one.told()).includes("11:00 ran"));
    await one.move(10_000);
    await one.move("2026-11-23T12:00:00Z");
    expect(await one.told()).toEqual(["11:00 ran", "12:00 ran"]);
    expect(lossy.lost()).toBe(1);
    expect(one.said).toHaveLength(0);
    expect((await one.runsOf()).map(({ attempts }) => attempts)).toEqual([1, 1]);
    await one.scheduler.stop();
  },
);

forEachStore("a run that was taken over by a commit that was not told is gone on with", async (store) => {
  const end = Promise.withResolvers<never>();
  const accept = () => end.promise;
  const gone = aProcess(store, { leaseMs, turnsParts: { accept } });
  await gone.make();
  await gone.start();
  gone.clock.move("2026-11-23T11:00:00Z");
  await until("it runs", async () => (await gone.told()).includes("11:00 running"));
  gone.scheduler.pause();
  const lossy = losesCommits(store);
  lossy.lose(/UPDATE job_runs SET owner = /);
  // Its beats are over: the store is told that it is gone.
  await store.write((tx) => tx`DELETE FROM processes`);
  const one = aProcess(lossy.store, { leaseMs, clock: gone.clock });
  await one.start();
  await until("it ran", async () => (await one.told()).includes("11:00 ran"));
  expect(lossy.lost()).toBe(1);
  await one.scheduler.stop();
  end.reject(new AppError("busy", "It is gone."));
  await gone.scheduler.stop();
});

forEachStore(
  "a run that was put back and not told is not put back once more while it runs",
  async (store) => {
    let begun = 0;
    const lossy = losesCommits(store);
    const one = aProcess(lossy.store, {
      leaseMs,
      async *agent() {
        begun += 1;
        if (begun === 1) throw new AppError("provider_error", "The model is down.");
        await until("the write was tried again", () => lossy.lost() === 2);
        yield* answer("done");
      },
    });
    await one.make();
    await one.start();
    lossy.lose(/UPDATE job_runs SET state = 'queued'/);
    one.clock.move("2026-11-23T11:00:00Z");
    await until("it was put back", () => lossy.lost() === 1);
    lossy.lose(/UPDATE job_runs SET state = 'queued'/);
    // Its time has come before the write is tried again.
    one.clock.move(60_000);
    await until("it ran", async () => (await one.told()).includes("11:00 ran"));
    await one.quiet();
    expect((await one.runsOf()).map(({ attempts }) => attempts)).toEqual([2]);
    expect(begun).toBe(2);
    await one.scheduler.stop();
  },
);
