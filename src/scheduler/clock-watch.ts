import { beginSooner, plannedAhead } from "../store/job-clock.ts";
import * as jobs from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import { schedulerLog as log } from "../telemetry/log.ts";
import { longestWaitMs } from "./backoff.ts";
import { graceMs } from "./plan-slots.ts";
import { loadSchedules } from "./schedule.ts";

const jobsAtOnce = 50;

/**
 * Plans anew from `at` what was planned by a clock that was ahead: nothing waits for the wrong time to come. A slot
 * that was claimed then has its row, and is not run again.
 */
async function planFrom(store: Store, at: number, isOn: () => boolean): Promise<void> {
  await store.write((tx) => beginSooner(tx, { now: at, latest: at + longestWaitMs }));
  for (let after = "", more = true; more && isOn();) {
    const page = { now: at, slackMs: graceMs, after, most: jobsAtOnce };
    const ahead = await store.read((tx) => plannedAhead(tx, page));
    const moved = ahead.length === 0 ? [] : await sooner(ahead, at);
    if (moved.length > 0)
      await store.write(async (tx) => {
        for (const { job, next } of moved) await jobs.advance(tx, job, next);
      });
    after = ahead.at(-1)?.id ?? "";
    more = ahead.length === jobsAtOnce;
  }
}

/** Looks at the clock of each round of work: set back, or at the first one, it may have been ahead before. */
export function createClockWatch(store: Store, isOn: () => boolean): (at: number) => Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  return async (at) => {
    if (at < before - graceMs) await planFrom(store, at, isOn);
    before = at;
  };
}

/** Those of the jobs that have a slot before the one that they were planned for. */
async function sooner(ahead: readonly jobs.Job[], at: number) {
  const read = await loadSchedules();
  return ahead.flatMap((job) => {
    try {
      const next = read(job.spec, job.anchor).next(at);
      return next !== undefined && next < (job.nextAt ?? at) ? [{ job, next }] : [];
    } catch (error) {
      log.error("a job's schedule cannot be read any more", { job: job.name, error });
      return [];
    }
  });
}
