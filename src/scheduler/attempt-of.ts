import type { JobRun } from "../store/job-runs.ts";
import type { Job } from "../store/jobs.ts";
import * as sessions from "../store/sessions.ts";
import * as turns from "../store/turns.ts";
import type { Tx } from "../store/tx.ts";
import { spentByTurn } from "../store/usage.ts";

/** False of a job that is gone or disabled, as when its maker is not admitted any more; what somebody asks for by hand may begin. */
export const mayBegin = (run: JobRun, job: Job | undefined): job is Job =>
  job !== undefined && (job.enabled || run.manual);

/** A session of the job's owner: one of that name may be another's, made before there was the job. */
export async function sessionOf(tx: Tx, { id, name, owner, spec }: Job, slot: number): Promise<string> {
  const sessionId = spec.session === "own" ? `job:${name}` : `job:${name}:${slot}`;
  const found = await sessions.find(tx, sessionId);
  return found === undefined || found.owner === owner ? sessionId : `${sessionId}:${id}`;
}

/** By which the turn of an attempt is found again. */
export const messageOf = (slot: number, attempt: number) => `job:${slot}:${attempt}`;

/** The session in which the newest attempt of a run has its turn already, whatever its job has become since. */
export async function sessionOfBegun(tx: Tx, run: JobRun): Promise<string | undefined> {
  const { sessionId, slot, attempts } = run;
  if (sessionId === undefined) return undefined;
  return (await turns.findByMessage(tx, sessionId, messageOf(slot, attempts)))?.sessionId;
}

/** Tokens that the earlier attempts of a run took, with what they delegated as far as their turns are still there. */
export async function spentBefore(tx: Tx, run: JobRun, sessionId: string): Promise<number> {
  let spent = 0;
  for (let attempt = 1; attempt < run.attempts; attempt++) {
    const turn = await turns.findByMessage(tx, sessionId, messageOf(run.slot, attempt));
    if (turn !== undefined) spent += (await spentByTurn(tx, turn.id)).tokens;
  }
  return Math.max(spent, run.inputTokens + run.outputTokens);
}
