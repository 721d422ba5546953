import type { Check, Finding, Patient } from "./check.ts";

export interface Checked extends Finding {
  readonly id: string;
}

/** Runs every check, one after the other; one that throws or takes longer than `timeoutMs` has failed. */
export async function report(
  checks: readonly Check[],
  patient: Patient,
  timeoutMs = 10_000,
): Promise<readonly Checked[]> {
  const all: Checked[] = [];
  for (const check of checks) all.push({ id: check.id, ...(await examine(check, patient, timeoutMs)) });
  return all;
}

/** For a failure that nothing more is known of. */
const lastFix = "Mend what the text names, and check again; if it names nothing of yours, report it.";

async function examine(check: Check, patient: Patient, timeoutMs: number): Promise<Finding> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It took longer than ${timeoutMs} ms.`)), timeoutMs);
  try {
    const found = await Promise.race([(async () => check.run(patient))(), late]);
    return found.state === "fail" ? { fix: lastFix, ...found } : found;
  } catch (error) {
    return { state: "fail", text: error instanceof Error ? error.message : String(error), fix: lastFix };
  } finally {
    clearTimeout(timer);
  }
}
