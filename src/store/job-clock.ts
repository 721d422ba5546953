import { every } from "./columns.ts";
import { type Job, JobRow } from "./jobs.ts";
import type { Tx } from "./tx.ts";

/**
 * Jobs that were planned by a clock that was ahead of `now`: they have been changed later than that, or a slot of them
 * was claimed that has not come. In pages by id, behind `after`.
 */
export async function plannedAhead(
  tx: Tx,
  { now, slackMs, after, most }: { now: number; slackMs: number; after: string; most: number },
): Promise<Job[]> {
  const later = now + slackMs;
  return every(
    JobRow,
    await tx`
      SELECT * FROM jobs WHERE id > ${after} AND next_at > ${now} AND (updated_at > ${later} OR EXISTS (
        SELECT 1 FROM job_runs WHERE job_id = jobs.id AND slot > ${later}
      )) ORDER BY id LIMIT ${most}`,
  );
}

/** Lets runs begin now that would wait until after `latest`. */
export async function beginSooner(tx: Tx, { now, latest }: { now: number; latest: number }): Promise<void> {
  await tx`UPDATE job_runs SET next_at = ${now} WHERE next_at IS NOT NULL AND next_at > ${latest}`;
}
