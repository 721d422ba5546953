import * as v from "valibot";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

export const openRunStates = ["queued", "running"] as const;
export const endedRunStates = ["ran", "failed", "denied", "missed", "skipped"] as const;
export type EndedRunState = (typeof endedRunStates)[number];
export const runStates = [...openRunStates, ...endedRunStates] as const;
export type RunState = (typeof runStates)[number];

/** What became of one slot of a job. Times in milliseconds since 1970. */
export interface JobRun {
  readonly id: string;
  readonly jobId: string;
  readonly jobName: string;
  readonly slot: number;
  /** Asked for by somebody, whatever the schedule says. */
  readonly manual: boolean;
  readonly state: RunState;
  /** How many slots the row stands for: more than one where many were missed. */
  readonly slots: number;
  readonly attempts: number;
  /** When it may be begun or tried again; absent while it waits for an earlier run, runs or has ended. */
  readonly nextAt?: number;
  /** The process that runs it. */
  readonly owner?: string;
  /** Its newest turn. */
  readonly turnId?: string;
  readonly sessionId?: string;
  /** Of all its attempts. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Why it ended so, or why it waits. */
  readonly reason?: string;
  readonly delivery?: { readonly channel: string; readonly recipient: string };
}

const RunRow = v.pipe(
  v.object({
    id: v.string(),
    job_id: v.string(),
    job_name: v.string(),
    slot: int,
    manual: int,
    state: v.picklist(runStates),
    slots: int,
    attempts: int,
    next_at: maybeInt,
    owner: maybeText,
    turn_id: maybeText,
    session_id: maybeText,
    input_tokens: int,
    output_tokens: int,
    created_at: int,
    started_at: maybeInt,
    ended_at: maybeInt,
    reason: maybeText,
    delivery: v.nullable(
      v.pipe(v.string(), v.parseJson(), v.object({ channel: v.string(), recipient: v.string() })),
    ),
  }),
  v.transform((row): JobRun => ({
    id: row.id,
    jobId: row.job_id,
    jobName: row.job_name,
    slot: row.slot,
    manual: row.manual !== 0,
    state: row.state,
    slots: row.slots,
    attempts: row.attempts,
    ...(row.next_at !== undefined && { nextAt: row.next_at }),
    ...(row.owner !== undefined && { owner: row.owner }),
    ...(row.turn_id !== undefined && { turnId: row.turn_id }),
    ...(row.session_id !== undefined && { sessionId: row.session_id }),
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    createdAt: row.created_at,
    ...(row.started_at !== undefined && { startedAt: row.started_at }),
    ...(row.ended_at !== undefined && { endedAt: row.ended_at }),
    ...(row.reason !== undefined && { reason: row.reason }),
    ...(row.delivery !== null && { delivery: row.delivery }),
  })),
);

export interface NewRun {
  readonly job: { readonly id: string; readonly name: string };
  readonly slot: number;
  readonly manual?: boolean;
  readonly state: "queued" | "missed" | "skipped";
  readonly slots?: number;
  /** For `queued`: 0 is at once, absent behind the runs of the job that have not ended. */
  readonly nextAt?: number;
  readonly reason?: string;
  readonly delivery?: JobRun["delivery"] | undefined;
  readonly now: number;
}

/** Claims a slot; undefined when it was claimed before. */
export async function insert(tx: Tx, run: NewRun): Promise<string | undefined> {
  const id = Bun.randomUUIDv7();
  const made = await tx`
    INSERT INTO job_runs (id, job_id, job_name, slot, manual, state, slots, attempts, next_at, input_tokens,
      output_tokens, created_at, ended_at, reason, delivery)
    VALUES (${id}, ${run.job.id}, ${run.job.name}, ${run.slot}, ${run.manual === true ? 1 : 0}, ${run.state},
      ${run.slots ?? 1}, 0, ${run.nextAt ?? null}, 0, 0, ${run.now}, ${run.state === "queued" ? null : run.now},
      ${run.reason ?? null}, ${run.delivery === undefined ? null : JSON.stringify(run.delivery)})
    ON CONFLICT (job_id, slot) DO NOTHING RETURNING id`;
  return made.length > 0 ? id : undefined;
}

const Open = v.object({ open: int, waiting: maybeInt });

/** How many runs of a job have not ended, and how many of them wait behind others. */
export async function openOf(tx: Tx, jobId: string): Promise<{ open: number; waiting: number }> {
  const rows = await tx`
    SELECT count(*) AS open, SUM(CASE WHEN state = 'queued' AND next_at IS NULL THEN 1 ELSE 0 END) AS waiting
    FROM job_runs WHERE job_id = ${jobId} AND ended_at IS NULL`;
  const found = first(Open, rows);
  return { open: found?.open ?? 0, waiting: found?.waiting ?? 0 };
}

const Id = v.object({ id: v.string() });

/** The runs that may begin, in the order in which their time came. */
export async function ready(tx: Tx, now: number, most: number): Promise<string[]> {
  const rows = await tx`
    SELECT id FROM job_runs WHERE next_at IS NOT NULL AND next_at <= ${now} ORDER BY next_at, slot LIMIT ${most}`;
  return every(Id, rows).map(({ id }) => id);
}

const Next = v.object({ at: maybeInt });

/** When the next run may begin. */
export async function nextReady(tx: Tx): Promise<number | undefined> {
  return first(Next, await tx`SELECT MIN(next_at) AS at FROM job_runs WHERE next_at IS NOT NULL`)?.at;
}

/** Begins the next attempt of a run, here; undefined when another process did. */
export async function begin(tx: Tx, id: string, owner: string, now: number): Promise<JobRun | undefined> {
  return first(
    RunRow,
    await tx`
      UPDATE job_runs SET state = 'running', owner = ${owner}, attempts = attempts + 1, next_at = NULL,
        reason = NULL, started_at = COALESCE(started_at, ${now})
      WHERE id = ${id} AND state = 'queued' AND next_at IS NOT NULL RETURNING *`,
  );
}

/** Notes the turn of the newest attempt. */
export async function setTurn(
  tx: Tx,
  { id, owner = "" }: JobRun,
  of: { turnId: string; sessionId: string },
): Promise<void> {
  await tx`
    UPDATE job_runs SET turn_id = ${of.turnId}, session_id = ${of.sessionId}
    WHERE id = ${id} AND owner = ${owner}`;
}

/** How an attempt ended, or the whole run. */
interface Used {
  readonly reason: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}

/** Puts a run back until `nextAt`; `counted`: what was done was an attempt. False when this process lost it. */
export async function putBack(
  tx: Tx,
  { id, owner = "" }: JobRun,
  to: Used & { readonly nextAt: number; readonly counted: boolean },
): Promise<boolean> {
  const put = await tx`
    UPDATE job_runs SET state = 'queued', owner = NULL, next_at = ${to.nextAt}, reason = ${to.reason},
      attempts = attempts - ${to.counted ? 0 : 1}, input_tokens = input_tokens + ${to.usage.inputTokens},
      output_tokens = output_tokens + ${to.usage.outputTokens}
    WHERE id = ${id} AND owner = ${owner} AND state = 'running' RETURNING id`;
  return put.length > 0;
}

/** Ends a run, and tells it as it ended; undefined when this process lost it: another one ends it. */
export async function finish(
  tx: Tx,
  { id, owner = "" }: JobRun,
  end: Partial<Used> & Pick<Used, "usage"> & { readonly state: EndedRunState; readonly now: number },
): Promise<JobRun | undefined> {
  const rows = await tx`
    UPDATE job_runs SET state = ${end.state}, owner = NULL, reason = ${end.reason ?? null}, ended_at = ${end.now},
      input_tokens = input_tokens + ${end.usage.inputTokens}, output_tokens = output_tokens + ${end.usage.outputTokens}
    WHERE id = ${id} AND owner = ${owner} AND state = 'running' RETURNING *`;
  return first(RunRow, rows);
}

/** Lets the run of a job that has waited longest begin. */
export async function releaseNext(tx: Tx, jobId: string): Promise<void> {
  await tx`
    UPDATE job_runs SET next_at = 0
    WHERE state = 'queued' AND id = (
      SELECT id FROM job_runs WHERE job_id = ${jobId} AND ended_at IS NULL ORDER BY slot LIMIT 1
    ) AND next_at IS NULL`;
}

/** Ends the runs of a job that have not begun. */
export async function skipQueued(tx: Tx, jobId: string, reason: string, now: number): Promise<void> {
  await tx`
    UPDATE job_runs SET state = 'skipped', next_at = NULL, reason = ${reason}, ended_at = ${now}
    WHERE job_id = ${jobId} AND state = 'queued' AND ended_at IS NULL`;
}

/** Everything that runs, in whichever process. */
export async function running(tx: Tx): Promise<JobRun[]> {
  return every(RunRow, await tx`SELECT * FROM job_runs WHERE owner IS NOT NULL ORDER BY slot`);
}

/** Goes on with the run of a process that is gone; undefined when another one was faster. */
export async function takeOver(tx: Tx, run: JobRun, owner: string): Promise<JobRun | undefined> {
  const rows = await tx`
    UPDATE job_runs SET owner = ${owner}
    WHERE id = ${run.id} AND owner = ${run.owner ?? ""} AND state = 'running' RETURNING *`;
  return first(RunRow, rows);
}

const Place = v.tuple([int, v.string()]);

/** The runs of a job, also of one that is gone, by its name (or of all that had it), the newest slot first. */
export async function list(
  tx: Tx,
  of: string | { readonly jobId: string },
  options: PageOptions,
): Promise<Page<JobRun>> {
  const { cursor } = options;
  const size = pageSize(options.limit);
  const [slot, id] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : readCursor(Place, cursor);
  const rows =
    typeof of === "string"
      ? await tx`
          SELECT * FROM job_runs WHERE job_name = ${of} AND (slot, id) < (${slot}, ${id})
          ORDER BY slot DESC, id DESC LIMIT ${size + 1}`
      : await tx`
          SELECT * FROM job_runs WHERE job_id = ${of.jobId} AND (slot, id) < (${slot}, ${id})
          ORDER BY slot DESC, id DESC LIMIT ${size + 1}`;
  return toPage(every(RunRow, rows), size, (last) => [last.slot, last.id]);
}
