import type { Tx } from "./tx.ts";

/** Forgets the oldest runs of a job beyond the newest `keep`. */
export async function trim(tx: Tx, jobId: string, keep: number): Promise<void> {
  await tx`
    DELETE FROM job_runs WHERE job_id = ${jobId} AND ended_at IS NOT NULL AND slot <= (
      SELECT slot FROM job_runs WHERE job_id = ${jobId} ORDER BY slot DESC LIMIT 1 OFFSET ${keep}
    )`;
}

/** Forgets at most `most` runs that ended before; returns how many. */
export async function removeBefore(tx: Tx, before: number, most: number): Promise<number> {
  const removed = await tx`
    DELETE FROM job_runs WHERE id IN (
      SELECT id FROM job_runs WHERE ended_at IS NOT NULL AND ended_at < ${before} LIMIT ${most}
    ) RETURNING id`;
  return removed.length;
}
