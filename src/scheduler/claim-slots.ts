import { trim } from "../store/job-run-sweep.ts";
import * as runs from "../store/job-runs.ts";
import type { Job } from "../store/jobs.ts";
import * as jobs from "../store/jobs.ts";
import type { Tx } from "../store/tx.ts";
import type { SlotPlan } from "./plan-slots.ts";

/** Runs of one job that may wait behind each other. */
export const mostWaiting = 100;
/** Rows of a job that are kept. */
const keptRuns = 1000;

/** What becomes of a slot that is claimed while `open` runs of its job have not ended. */
function fate(overlap: "skip" | "queue", { open, waiting }: { open: number; waiting: number }) {
  if (open === 0) return { state: "queued", nextAt: 0 } as const;
  if (overlap === "skip")
    return { state: "skipped", reason: "overlap: an earlier run had not ended" } as const;
  if (waiting < mostWaiting) return { state: "queued", reason: "waits for the run before it" } as const;
  return { state: "skipped", reason: `overlap: ${mostWaiting} runs wait already` } as const;
}

/** Writes the slots of a plan down, each once for all processes. False when the job changed since it was read. */
export async function claimSlots(tx: Tx, job: Job, plan: SlotPlan, now: number): Promise<boolean> {
  // Holds the job until the commit, so that no run of it ends in between.
  if (!(await jobs.advance(tx, job, plan.next))) return false;
  for (const { slot, slots, reason } of plan.missed)
    await runs.insert(tx, { job, slot, slots, reason, state: "missed", now });
  for (const { slot, late } of plan.runs) {
    const { open, waiting } = await runs.openOf(tx, job.id);
    // Those that are made up for come one after the other, whatever is to become of overlaps.
    const to = fate(late ? "queue" : job.spec.overlap, { open, waiting });
    await runs.insert(tx, { job, slot, now, delivery: job.spec.delivery, ...to });
  }
  await trim(tx, job.id, keptRuns);
  return true;
}

/** A slot beside the schedule, for who wants a run now; undefined when one goes on and the job lets none wait. */
export async function claimManual(tx: Tx, job: Job, now: number): Promise<number | undefined> {
  if ((await jobs.hold(tx, job.id)) === undefined) return undefined;
  const to = fate(job.spec.overlap, await runs.openOf(tx, job.id));
  if (to.state === "skipped") return undefined;
  // Schedules name whole seconds: none of their slots is taken away.
  for (let slot = now % 1000 === 0 ? now + 1 : now; ; slot += slot % 1000 === 999 ? 2 : 1) {
    const id = await runs.insert(tx, {
      job,
      slot,
      now,
      manual: true,
      delivery: job.spec.delivery,
      ...to,
    });
    if (id !== undefined) return slot;
  }
}
