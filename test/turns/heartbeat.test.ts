import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as processes from "../../src/store/processes.ts";
import { createHeartbeat } from "../../src/turns/heartbeat.ts";

const leaseMs = 200;

test("createHeartbeat takes nobody for dead because the database was away, and finds who is dead afterwards", async () => {
  const real = await memoryStore();
  let isAway = false;
  const there = async <T>(work: () => Promise<T>) => {
    if (isAway) throw new AppError("unavailable", "away");
    return work();
  };
  const store: Store = {
    ...real,
    read: (fn) => there(() => real.read(fn)),
    write: (fn) => there(() => real.write(fn)),
  };
  const beats = ["a", "b", "c"].map((name) => ({ name, heart: createHeartbeat(store, name, leaseMs) }));
  const dead: string[] = [];
  let looks = 0;
  let isWatched = false;
  const lookedFirst = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  for (const { name, heart } of beats) {
    await heart.start(async (living) => {
      looks++;
      for (const { name: other } of beats)
        if (isWatched && !living.has(other)) dead.push(`${other} by ${name}`);
      if (isWatched && !living.has("c")) gone.resolve();
      // From its third look on the first knows all of the others' beats.
      if (name === "a" && looks > 6) lookedFirst.resolve();
    });
    // Each beats at a time of its own.
    await Bun.sleep(leaseMs / 12);
  }

  // The first looks last before the outage and first behind it.
  await lookedFirst.promise;
  isWatched = true;
  isAway = true;
  await Bun.sleep(leaseMs * 1.46);
  isAway = false;
  for (const before = looks; looks < before + 6;) await Bun.sleep(5);
  expect(dead).toEqual([]);

  // The third ends without a word.
  await beats[2]?.heart.stop();
  await real.write((tx) => processes.beat(tx, "c"));
  await gone.promise;
  for (const { heart } of beats) await heart.stop();
});
