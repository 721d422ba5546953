import * as v from "valibot";
import { every, first, int, maybeInt, maybeText } from "./columns.ts";
import { type JobSpec, StoredSpec } from "./job-spec.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

/** Who made it: OPENCLAW_JOBS, OPENCLAW_JOBS of an earlier start, a client, or an agent by its `schedule` tool. */
export const jobSources = ["declared", "removed", "client", "agent"] as const;
export type JobSource = (typeof jobSources)[number];

/** A job as it is kept. Times in milliseconds since 1970. */
export interface Job {
  readonly id: string;
  readonly name: string;
  /** Name of the principal that its turns are for. */
  readonly owner: string;
  readonly scope: "operator" | "chat";
  readonly source: JobSource;
  readonly madeByTurn?: string;
  /** The only tools that its turns may use; all that are granted when absent. */
  readonly onlyTools?: readonly string[];
  readonly enabled: boolean;
  /** Its next slot that nobody has claimed; absent when there is none. */
  readonly nextAt?: number;
  /** Raised by each change of what it is. */
  readonly revision: number;
  /** Where its intervals are counted from. */
  readonly anchor: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly spec: StoredSpec;
  /** The beginning of the prompt. */
  readonly promptStart: string;
}

export const JobRow = v.pipe(
  v.object({
    id: v.string(),
    name: v.string(),
    owner: v.string(),
    scope: v.picklist(["operator", "chat"]),
    source: v.picklist(jobSources),
    made_by_turn: maybeText,
    enabled: int,
    next_at: maybeInt,
    revision: int,
    anchor: int,
    created_at: int,
    updated_at: int,
    prompt_start: v.string(),
    only_tools: v.nullable(v.pipe(v.string(), v.parseJson(), v.array(v.string()))),
    spec: v.pipe(v.string(), v.parseJson(), StoredSpec),
  }),
  v.transform((row): Job => ({
    id: row.id,
    name: row.name,
    owner: row.owner,
    scope: row.scope,
    source: row.source,
    ...(row.made_by_turn !== undefined && { madeByTurn: row.made_by_turn }),
    ...(row.only_tools !== null && { onlyTools: row.only_tools }),
    enabled: row.enabled !== 0,
    ...(row.next_at !== undefined && { nextAt: row.next_at }),
    revision: row.revision,
    anchor: row.anchor,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    spec: row.spec,
    promptStart: row.prompt_start,
  })),
);

/** Why a run of a job that was disabled meanwhile is not begun. */
export const disabledText = "the job was disabled";

const shownCharacters = 200;

/** Of what a person wrote, what may stand in a row: JSON without name and prompt. */
const specText = ({ name: _name, prompt: _prompt, ...rest }: JobSpec) => JSON.stringify(rest);
const startOf = (prompt: string) => prompt.slice(0, shownCharacters).toWellFormed();

export interface NewJob {
  readonly id: string;
  readonly owner: string;
  readonly scope: Job["scope"];
  readonly source: JobSource;
  readonly madeByTurn?: string;
  readonly onlyTools?: readonly string[];
  readonly nextAt: number | undefined;
  readonly spec: JobSpec;
  readonly now: number;
}

/** False when there is a job of that name. */
export async function insert(tx: Tx, job: NewJob): Promise<boolean> {
  const { spec, now } = job;
  const made = await tx`
    INSERT INTO jobs (id, name, owner, scope, source, made_by_turn, enabled, next_at, revision, anchor, created_at,
      updated_at, prompt_start, only_tools, spec)
    VALUES (${job.id}, ${spec.name}, ${job.owner}, ${job.scope}, ${job.source}, ${job.madeByTurn ?? null},
      ${spec.enabled ? 1 : 0}, ${job.nextAt ?? null}, 1, ${now}, ${now}, ${now}, ${startOf(spec.prompt)},
      ${listText(job.onlyTools)}, ${specText(spec)})
    ON CONFLICT (name) DO NOTHING RETURNING id`;
  if (made.length === 0) return false;
  await tx`INSERT INTO job_prompts (job_id, prompt) VALUES (${job.id}, ${spec.prompt})`;
  return true;
}

/** What a job becomes. */
export interface JobChange {
  readonly spec: JobSpec;
  readonly source: JobSource;
  readonly owner: string;
  readonly scope: Job["scope"];
  /** Absent: no agent made it (any more), and it has all tools that are granted. */
  readonly madeByTurn?: string;
  readonly onlyTools?: readonly string[];
  readonly anchor: number;
  readonly nextAt: number | undefined;
  readonly now: number;
}

const listText = (names: readonly string[] | undefined) =>
  names === undefined ? null : JSON.stringify(names);

/** False when it was changed or its slot claimed since it was read. */
export async function change(tx: Tx, job: Job, to: JobChange): Promise<boolean> {
  const changed = await tx`
    UPDATE jobs SET spec = ${specText(to.spec)}, prompt_start = ${startOf(to.spec.prompt)}, source = ${to.source},
      owner = ${to.owner}, scope = ${to.scope}, enabled = ${to.spec.enabled ? 1 : 0}, next_at = ${to.nextAt ?? null},
      made_by_turn = ${to.madeByTurn ?? null}, only_tools = ${listText(to.onlyTools)}, anchor = ${to.anchor},
      updated_at = ${to.now}, revision = revision + 1
    WHERE id = ${job.id} AND revision = ${job.revision} RETURNING id`;
  if (changed.length === 0) return false;
  await tx`UPDATE job_prompts SET prompt = ${to.spec.prompt} WHERE job_id = ${job.id}`;
  return true;
}

/** Claims the slots of a job up to `nextAt`: false when another process did, or the job is another one by now. */
export async function advance(tx: Tx, job: Job, nextAt: number | undefined): Promise<boolean> {
  const claimed = await tx`
    UPDATE jobs SET next_at = ${nextAt ?? null}, revision = revision + 1
    WHERE id = ${job.id} AND revision = ${job.revision} RETURNING id`;
  return claimed.length > 0;
}

/** Reads a job and keeps every other process from changing it or ending a run of it before this write has ended. */
export async function hold(tx: Tx, id: string): Promise<Job | undefined> {
  return first(JobRow, await tx`UPDATE jobs SET anchor = anchor WHERE id = ${id} RETURNING *`);
}

export async function find(tx: Tx, name: string): Promise<Job | undefined> {
  return first(JobRow, await tx`SELECT * FROM jobs WHERE name = ${name}`);
}

export async function findById(tx: Tx, id: string): Promise<Job | undefined> {
  return first(JobRow, await tx`SELECT * FROM jobs WHERE id = ${id}`);
}

const Prompt = v.object({ prompt: v.string() });

export async function promptOf(tx: Tx, id: string): Promise<string | undefined> {
  return first(Prompt, await tx`SELECT prompt FROM job_prompts WHERE job_id = ${id}`)?.prompt;
}

export async function remove(tx: Tx, id: string): Promise<boolean> {
  return (await tx`DELETE FROM jobs WHERE id = ${id} RETURNING id`).length > 0;
}

/** The jobs whose next slot has come, the one that waits longest first. */
export async function due(tx: Tx, now: number, most: number): Promise<Job[]> {
  return every(
    JobRow,
    await tx`SELECT * FROM jobs WHERE next_at IS NOT NULL AND next_at <= ${now} ORDER BY next_at LIMIT ${most}`,
  );
}

/** How many there are of them. */
export async function countDue(tx: Tx, now: number): Promise<number> {
  const rows = await tx`
    SELECT count(*) AS count FROM jobs WHERE next_at IS NOT NULL AND next_at <= ${now}`;
  return first(Count, rows)?.count ?? 0;
}

const Next = v.object({ at: maybeInt });

/** The earliest slot of all. */
export async function nextDue(tx: Tx): Promise<number | undefined> {
  return first(Next, await tx`SELECT MIN(next_at) AS at FROM jobs WHERE next_at IS NOT NULL`)?.at;
}

const Count = v.object({ count: int });

export async function count(tx: Tx): Promise<number> {
  return first(Count, await tx`SELECT count(*) AS count FROM jobs`)?.count ?? 0;
}

/** Jobs that agents of one principal made. */
export async function countMade(tx: Tx, owner: string): Promise<number> {
  const rows = await tx`SELECT count(*) AS count FROM jobs WHERE owner = ${owner} AND source = 'agent'`;
  return first(Count, rows)?.count ?? 0;
}

/** Disables the jobs that agents of one principal made, and gives their ids. */
export async function disableMade(tx: Tx, owner: string, now: number): Promise<string[]> {
  const made = every(
    JobRow,
    await tx`UPDATE jobs SET anchor = anchor WHERE owner = ${owner} AND source = 'agent' AND enabled = 1 RETURNING *`,
  );
  for (const job of made) {
    const spec = { ...job.spec, name: job.name, prompt: (await promptOf(tx, job.id)) ?? "", enabled: false };
    await change(tx, job, { ...job, spec, nextAt: undefined, now });
  }
  return made.map(({ id }) => id);
}

/** The jobs of OPENCLAW_JOBS, of this start or the one before. */
export async function declared(tx: Tx): Promise<Job[]> {
  return every(JobRow, await tx`SELECT * FROM jobs WHERE source = 'declared'`);
}

const Place = v.tuple([v.string()]);

/** Jobs of one owner, or all, by name. */
export async function list(tx: Tx, options: PageOptions & { readonly owner?: string }): Promise<Page<Job>> {
  const { owner, cursor } = options;
  const size = pageSize(options.limit);
  const [after] = cursor === undefined ? [""] : readCursor(Place, cursor);
  const rows =
    owner === undefined
      ? await tx`SELECT * FROM jobs WHERE name > ${after} ORDER BY name LIMIT ${size + 1}`
      : await tx`
          SELECT * FROM jobs WHERE owner = ${owner} AND name > ${after} ORDER BY name LIMIT ${size + 1}`;
  return toPage(every(JobRow, rows), size, (last) => [last.name]);
}
