import type { Entry } from "../store/sessions.ts";
import { bytesOf } from "./rounds.ts";

/** What a summary will stand for, and the entry from which on the originals are still sent. */
export interface CompactionPlan {
  readonly covered: readonly Entry[];
  readonly keptFrom: Entry;
  readonly coveredBytes: number;
}

export const bytesOfEntries = (entries: readonly Entry[]) => bytesOf(entries.map((entry) => entry.message));

/**
 * Covers all but the newest entries that have `keepBytes` together. What is kept begins with something said or an
 * answer, never with a result, and holds the last question in any case. Undefined when less than `gainBytes` would go.
 */
export function planCompaction(
  path: readonly Entry[],
  { keepBytes, gainBytes }: { readonly keepBytes: number; readonly gainBytes: number },
): CompactionPlan | undefined {
  const lastQuestion = path.findLastIndex((entry) => entry.message.role === "user");
  let at = path.length;
  let left = keepBytes;
  for (let next = path.length - 1; next > 0; next--) {
    const entry = path[next];
    if (entry === undefined) break;
    left -= bytesOf([entry.message]);
    if (left < 0 && at <= lastQuestion) break;
    if (entry.message.role !== "tool" && next <= lastQuestion) at = next;
  }
  const keptFrom = path[at];
  const covered = path.slice(0, at);
  const coveredBytes = bytesOfEntries(covered);
  // A summary alone is not summarised again.
  if (keptFrom === undefined || covered.every((entry) => entry.keptFrom !== undefined)) return undefined;
  return coveredBytes < gainBytes ? undefined : { covered, keptFrom, coveredBytes };
}
