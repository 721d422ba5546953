import * as rows from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import { schedulerLog as log } from "../telemetry/log.ts";
import { claimSlots } from "./claim-slots.ts";
import { jobsTopic } from "./jobs.ts";
import { planSlots, type SlotPlan } from "./plan-slots.ts";
import { loadSchedules } from "./schedule.ts";

export interface Claiming {
  readonly store: Store;
  /** This process. */
  readonly owner: string;
  readonly catchUpMs: number;
  /** False once nothing more is to be claimed. */
  readonly isOn: () => boolean;
}

/** Jobs whose slots are claimed by one write. */
const jobsAtOnce = 20;

/** Claims the slots of some of the jobs that are due; true when there may be more of them. */
export async function claimSome({ store, owner, catchUpMs, isOn }: Claiming, at: number): Promise<boolean> {
  const due = await store.read((tx) => rows.due(tx, at, jobsAtOnce));
  const planned: { job: rows.Job; plan: SlotPlan }[] = [];
  for (const job of due) {
    // Nobody waits for slots to be counted that the next process counts again.
    if (!isOn()) return false;
    planned.push({ job, plan: await planOf(job, at, catchUpMs) });
  }
  if (planned.length === 0) return false;
  await store.write(async (tx) => {
    for (const { job, plan } of planned) await claimSlots(tx, job, plan, at);
    // There may be more than this process has room for.
    await store.signal(tx, jobsTopic, owner);
  });
  return due.length === jobsAtOnce;
}

async function planOf(job: rows.Job, at: number, windowMs: number): Promise<SlotPlan> {
  const first = job.nextAt ?? at;
  const { catchUp } = job.spec;
  try {
    const schedule = (await loadSchedules())(job.spec, job.anchor);
    return await planSlots(schedule, { first, now: at, windowMs, catchUp });
  } catch (error) {
    // It was looked at when it was made: what can be wrong now is a zone that this host no longer has.
    log.error("a job's schedule cannot be read any more", { job: job.name, error });
    const reason = `its schedule cannot be read any more: ${String(error).slice(0, 300)}`;
    return { missed: [{ slot: first, slots: 1, reason }], runs: [], next: undefined };
  }
}
