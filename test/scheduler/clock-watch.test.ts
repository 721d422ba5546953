import { expect } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { AppError } from "../../src/errors.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { forEachStore } from "../store/stores.ts";
import { aProcess, says } from "./a-scheduler.ts";

const ran = async (one: ReturnType<typeof aProcess>, since: string) =>
  (await one.runsOf())
    .filter(({ slot, state }) => slot >= Date.parse(since) && state === "ran")
    .map(({ slot }) => new Date(slot).toISOString().slice(0, 16));

forEachStore("jobs go on when a clock that was a year ahead is set right", async (store) => {
  const one = aProcess(store, { clock: movedClock("2027-11-23T10:00:00Z") });
  await one.make({ schedule: "every 5m" });
  await one.start();
  await one.move("2027-11-23T10:05:00Z");
  one.clock.set("2026-11-23T10:06:00Z");
  await one.move(30_000);
  await one.move("2026-11-23T10:10:00Z");
  await one.move("2026-11-23T10:15:00Z");
  expect((await ran(one, "2026-01-01")).slice(0, 2)).toEqual(["2026-11-23T10:10", "2026-11-23T10:15"]);
  await one.scheduler.stop();
});

forEachStore("jobs go on when an earlier process had a clock that was a year ahead", async (store) => {
  const before = aProcess(store, { clock: movedClock("2026-11-23T10:00:00Z") });
  await before.make({ schedule: "*/5 * * * *" });
  before.clock.move("2027-11-23T10:00:00Z");
  await before.start();
  await before.quiet();
  await before.scheduler.stop();
  const one = aProcess(store, { clock: movedClock("2026-11-23T10:06:00Z") });
  await one.start();
  await one.move("2026-11-23T10:10:00Z");
  await one.move("2026-11-23T10:15:00Z");
  expect((await ran(one, "2026-01-01")).slice(0, 2)).toEqual(["2026-11-23T10:10", "2026-11-23T10:15"]);
  await one.scheduler.stop();
});

forEachStore("a slot that ran by a clock that was ahead does not run again", async (store) => {
  const one = aProcess(store);
  await one.make({ schedule: "*/10 * * * *" });
  await one.start();
  await one.move("2026-11-23T10:10:00Z");
  await one.move("2026-11-23T10:20:00Z");
  one.clock.set("2026-11-23T10:05:00Z");
  for (let n = 0; n < 60; n++) await one.move(30_000);
  expect(await one.told()).toEqual(["10:10 ran", "10:20 ran", "10:30 ran"]);
  await one.scheduler.stop();
});

forEachStore("a run is tried again in its time when the clock is set back meanwhile", async (store) => {
  let begun = 0;
  const agent: RunTurn = async function* (turn) {
    begun += 1;
    if (begun === 1) throw new AppError("provider_error", "The model is down.");
    yield* says(turn);
  };
  const one = aProcess(store, { agent });
  await one.make();
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  one.clock.set("2026-11-22T11:00:00Z");
  await one.move(60_000);
  expect(await one.told()).toEqual(["11:00 ran"]);
  await one.scheduler.stop();
});
