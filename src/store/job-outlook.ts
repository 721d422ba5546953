import * as v from "valibot";
import { every, first, int } from "./columns.ts";
import type { Tx } from "./tx.ts";

const Upcoming = v.object({ name: v.string(), at: int });

/** The jobs whose slots come next, with the times of these. */
export async function upcoming(tx: Tx, most: number): Promise<{ name: string; at: number }[]> {
  return every(
    Upcoming,
    await tx`SELECT name, next_at AS at FROM jobs WHERE next_at IS NOT NULL ORDER BY next_at LIMIT ${most}`,
  );
}

const Count = v.object({ count: int });

/** Slots since then whose run was missed, or failed. */
export async function missedSince(tx: Tx, since: number): Promise<{ missed: number; failed: number }> {
  const missed = await tx`SELECT count(*) AS count FROM job_runs WHERE state = 'missed' AND slot >= ${since}`;
  const failed = await tx`SELECT count(*) AS count FROM job_runs WHERE state = 'failed' AND slot >= ${since}`;
  return { missed: first(Count, missed)?.count ?? 0, failed: first(Count, failed)?.count ?? 0 };
}
