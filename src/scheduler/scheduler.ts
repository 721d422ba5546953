import type { AuditTrail } from "../store/audit.ts";
import * as runs from "../store/job-runs.ts";
import type { JobSpec } from "../store/job-spec.ts";
import * as rows from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import { schedulerLog as log } from "../telemetry/log.ts";
import type { Deliver } from "../turns/deliver.ts";
import { createHeartbeat } from "../turns/heartbeat.ts";
import type { Turns } from "../turns/turns.ts";
import { type After, afterTimeout } from "./after.ts";
import { claimSome } from "./claim-some.ts";
import { createClockWatch } from "./clock-watch.ts";
import { declareJobs } from "./declared-jobs.ts";
import { createJobs, type Jobs, jobsTopic } from "./jobs.ts";
import { runJob } from "./run-job.ts";

/** The settings of jobs; the rows of the group `scheduler` have these names. */
export interface SchedulerSettings {
  readonly jobs: readonly JobSpec[];
  /** How long after its time a missed slot is made up for, in milliseconds. */
  readonly catchUpMs: number;
  readonly maxJobs: number;
  readonly jobsPerAgent: number;
  /** Runs that this process works on at once. */
  readonly concurrentRuns: number;
}

export interface SchedulerParts {
  readonly store: Store;
  readonly turns: Pick<Turns, "accept" | "cancel" | "follow">;
  readonly settings: SchedulerSettings;
  /** Names of the profiles that a job may name. */
  readonly agents: () => readonly string[];
  /** Channels that are on; absent: not looked at. */
  readonly channels?: () => readonly string[];
  /** How what a run came to is told where nobody waits; absent where nothing is sent. */
  readonly deliver?: Deliver | undefined;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail;
  /** How long a process may be silent before the others go on with its runs; absent when no other shares the store. */
  readonly leaseMs?: number;
  readonly now?: () => number;
  readonly after?: After;
}

export interface Scheduler {
  readonly jobs: Jobs;
  /** Declares the jobs of the settings, goes on with what an earlier process left, and begins. */
  start(): Promise<void>;
  /** Declares the jobs of the settings again, once they have changed; later, when the store fails. Never rejects. */
  redeclare(): Promise<void>;
  /** Claims and begins nothing more; what runs goes on. */
  pause(): void;
  /** Gives what still runs back, for the next process to go on with. */
  stop(): Promise<void>;
  /** Resolves when all that was due has been claimed and as much as there is room for has begun. */
  settled(): Promise<void>;
  /** Runs that this process works on. */
  load(): number;
}

/** No sleep is longer, so that a clock that was set is noticed. */
const longestSleepMs = 30_000;
const faultMs = 5000;

/** The one timer of all jobs: claims the slots that are due, each once for all processes, and runs them. */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { store, settings } = parts;
  const now = parts.now ?? Date.now;
  const after = parts.after ?? afterTimeout;
  const owner = Bun.randomUUIDv7();
  const stopping = new AbortController();
  const heartbeat = parts.leaseMs === undefined ? undefined : createHeartbeat(store, owner, parts.leaseMs);
  const active = new Map<string, Promise<void>>();
  let state: "new" | "on" | "paused" = "new";
  let working: Promise<void> | undefined;
  /** Something happened since this round of work began. */
  let again = false;
  let cancelTimer: (() => void) | undefined;
  let cancelRedeclare: (() => void) | undefined;
  let unlisten: (() => void) | undefined;
  /** What earlier processes left is known. */
  let ready = false;
  const isOn = () => state === "on";
  /** Runs whose beginning is being written. */
  const beginning = new Set<string>();
  /** Some run could begin but for its last attempt here, which wakes us. */
  let held = false;
  const lookAtClock = createClockWatch(store, isOn);
  const claiming = { store, owner, catchUpMs: settings.catchUpMs, isOn };

  const { maxJobs, jobsPerAgent } = settings;
  const { agents, channels, audit } = parts;
  const jobs = createJobs({ store, now, maxJobs, jobsPerAgent, agents, channels, audit, changed: wake });

  function wake() {
    again = true;
    if (!isOn() || !ready || working !== undefined) return;
    working = work().finally(() => {
      working = undefined;
      if (again) wake();
    });
  }

  async function work() {
    try {
      while (again && isOn()) {
        again = false;
        cancelTimer?.();
        await lookAtClock(now());
        // After an outage there may be many: what can begin does so before all of them are claimed.
        while (isOn() && (await claimSome(claiming, now()))) await beginReady();
        await beginReady();
        await sleep();
      }
    } catch (error) {
      log.warn("the jobs that are due could not be looked at", { error });
      if (isOn()) cancelTimer = after(faultMs, wake);
    }
  }

  /** Until the next slot or the next try; for ever when there is none. */
  async function sleep() {
    const slot = await store.read((tx) => rows.nextDue(tx));
    const isFull = active.size >= settings.concurrentRuns;
    const run = isFull || held ? undefined : await store.read((tx) => runs.nextReady(tx));
    const next = Math.min(slot ?? Number.POSITIVE_INFINITY, run ?? Number.POSITIVE_INFINITY);
    if (!isOn() || next === Number.POSITIVE_INFINITY) return;
    cancelTimer = after(Math.min(Math.max(0, next - now()), longestSleepMs), wake);
  }

  async function beginReady() {
    held = false;
    const room = settings.concurrentRuns - active.size;
    if (room <= 0 || !isOn()) return;
    const ready = await store.read((tx) => runs.ready(tx, now(), room));
    // What an attempt came to is not noted yet, as far as is known here.
    const ids = ready.filter((id) => !active.has(id));
    held = ids.length < ready.length;
    if (ids.length === 0) return;
    for (const id of ids) beginning.add(id);
    try {
      const begun = await store.write(async (tx) => {
        const mine: runs.JobRun[] = [];
        for (const id of ids) {
          const run = await runs.begin(tx, id, owner, now());
          if (run !== undefined) mine.push(run);
        }
        return mine;
      });
      for (const run of begun) launch(run);
      // What another process was faster with leaves room.
      if (begun.length < ids.length) again = true;
    } finally {
      for (const id of ids) beginning.delete(id);
    }
  }

  function launch(run: runs.JobRun) {
    const { turns, deliver } = parts;
    const running = runJob(run, { store, turns, deliver, now, after, stopping: stopping.signal })
      .catch((error) => log.error("a job's run was given up", { job: run.jobName, slot: run.slot, error }))
      .finally(() => {
        active.delete(run.id);
        wake();
      });
    active.set(run.id, running);
  }

  /**
   * Goes on with the runs of processes that are gone, and with those of this one whose beginning was stored though its
   * write threw: their turns are found again by their message ids.
   */
  async function takeOver(living: ReadonlySet<string>) {
    const all = await store.read((tx) => runs.running(tx));
    for (const run of all) {
      if (run.owner === undefined || !isOn()) continue;
      const isRun = run.owner === owner ? active.has(run.id) || beginning.has(run.id) : living.has(run.owner);
      if (isRun) continue;
      const taken = await store.write((tx) => runs.takeOver(tx, run, owner));
      if (taken !== undefined && isOn()) launch(taken);
    }
  }

  async function redeclare() {
    cancelRedeclare?.();
    try {
      await declareJobs(store, settings.jobs, now());
      wake();
    } catch (error) {
      log.error("the jobs that were read again cannot be declared yet", { error });
      if (state !== "paused") cancelRedeclare = after(faultMs, () => void redeclare());
    }
  }

  return {
    jobs,

    async start() {
      if (state !== "new") return;
      state = "on";
      for (let begun = false; !begun && isOn();) {
        try {
          await declareJobs(store, settings.jobs, now());
          if (heartbeat === undefined) await takeOver(new Set());
          else await heartbeat.start(takeOver);
          begun = true;
        } catch (error) {
          log.error("the jobs cannot be started yet", { error });
          await new Promise<void>((resolve) => (cancelTimer = after(faultMs, resolve)));
        }
      }
      if (!isOn()) return;
      unlisten = store.listen(jobsTopic, (from) => {
        if (from !== owner) wake();
      });
      ready = true;
      wake();
    },

    redeclare,

    pause() {
      state = "paused";
      cancelTimer?.();
      cancelRedeclare?.();
      unlisten?.();
    },

    async stop() {
      state = "paused";
      cancelTimer?.();
      cancelRedeclare?.();
      unlisten?.();
      stopping.abort();
      await working;
      cancelTimer?.();
      await Promise.all(active.values());
      await heartbeat?.stop();
    },

    async settled() {
      while (working !== undefined) await working;
    },

    load: () => active.size,
  };
}
