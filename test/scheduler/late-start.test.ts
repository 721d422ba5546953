import { expect, test } from "bun:test";
import { planSlots } from "../../src/scheduler/plan-slots.ts";
import { loadSchedules } from "../../src/scheduler/schedule.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { until } from "../helpers/until.ts";
import { aProcess } from "./a-scheduler.ts";

const afterMs = Date.parse("2026-11-23T10:00:00Z");
const windowMs = 900_000;

/** A process after some time in which nothing ran, with many jobs. */
async function afterOutage(store: Store, { jobs, since }: { jobs: number; since: string }) {
  const before = aProcess(store, { clock: movedClock(since) });
  for (let n = 0; n < jobs; n++) await before.make({ name: `job-${n}`, schedule: "*/5 * * * *" });
  return aProcess(store, { clock: movedClock(afterMs) });
}

test("planSlots counts few of the slots that nothing will run, and shows about the newest hundred", async () => {
  const read = await loadSchedules();
  let asked = 0;
  const every5 = read({ schedule: "*/5 * * * *", zone: "UTC" }, 0);
  const counted = {
    next(after: number) {
      asked += 1;
      return every5.next(after);
    },
  };
  const first = Date.parse("2026-10-24T10:00:00Z");
  const plan = await planSlots(counted, { first, now: afterMs, windowMs, catchUp: "once" });
  expect(asked).toBeLessThan(700);
  const [sum, ...shown] = plan.missed;
  expect(sum).toMatchObject({ slot: first });
  expect(sum?.reason).toMatch(/^more than \d+ slots: /);
  expect(shown).toHaveLength(100);
  expect(shown[0]?.slot).toBeGreaterThan(afterMs - windowMs - 102 * 300_000);
  expect(plan.runs).toEqual([{ slot: afterMs, late: false }]);
  expect(plan.next).toBe(afterMs + 300_000);
});

test("createScheduler begins what it has claimed while other jobs are still looked at", async () => {
  const store = await memoryStore();
  let claimed = 0;
  let ofFirst: number | undefined;
  const write: Store["write"] = async (act) => {
    const done = await store.write(act);
    claimed = Number(
      (await store.read((tx) => tx`SELECT count(DISTINCT job_id) AS n FROM job_runs`))[0]?.["n"],
    );
    return done;
  };
  const one = await afterOutage({ ...store, write }, { jobs: 60, since: "2026-11-23T09:58:00Z" });
  const { accept } = one.turns;
  const next = aProcess(
    { ...store, write },
    {
      clock: one.clock,
      turnsParts: {
        ...one.turns,
        accept(turn, listener, also) {
          ofFirst ??= claimed;
          return accept(turn, listener, also);
        },
      },
    },
  );
  await next.start();
  await next.quiet();
  expect(ofFirst).toBeLessThan(60);
  expect(claimed).toBe(60);
  await next.scheduler.stop();
});

test("createScheduler stops without counting what the next process counts again", async () => {
  const store = await memoryStore();
  const one = await afterOutage(store, { jobs: 20, since: "2026-10-24T10:00:00Z" });
  await one.scheduler.start();
  await one.scheduler.stop();
  const rows = await store.read((tx) => tx`SELECT count(*) AS n FROM job_runs`);
  expect(Number(rows[0]?.["n"])).toBe(0);
  const next = aProcess(store, { clock: one.clock });
  await next.start();
  await until("all ran", async () => (await next.told("job-19")).at(-1) === "10:00 ran");
  await next.scheduler.stop();
});
