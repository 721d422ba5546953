import * as v from "valibot";
import { AppError } from "../../errors.ts";
import type { Jobs } from "../../scheduler/jobs.ts";
import type { JobRun } from "../../store/job-runs.ts";
import { JobName, JobSpec, jobFields } from "../../store/job-spec.ts";
import type * as jobs from "../../store/jobs.ts";
import { defineOperation, type Operation, type OperationContext } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const Delivery = v.object({ channel: v.string(), recipient: v.string() });

const Job = v.object({
  name: v.string(),
  owner: v.string(),
  /** `declared` by OPENCLAW_JOBS (read-only), `removed` from there, made by a `client` or by an `agent`. */
  source: v.string(),
  /** The turn whose agent made it. */
  madeByTurn: v.optional(v.string()),
  onlyTools: v.optional(v.array(v.string())),
  schedule: v.string(),
  zone: v.string(),
  /** Its beginning, in a list. */
  prompt: v.string(),
  agent: v.optional(v.string()),
  session: v.string(),
  delivery: v.optional(Delivery),
  catchUp: v.string(),
  overlap: v.string(),
  timeoutSeconds: v.number(),
  retries: v.number(),
  tokens: v.optional(v.number()),
  enabled: v.boolean(),
  nextAt: v.optional(v.number()),
  createdAt: v.number(),
  updatedAt: v.number(),
});

const Run = v.object({
  job: v.string(),
  slot: v.number(),
  /** Asked for by somebody, beside the schedule. */
  manual: v.boolean(),
  /** `queued`, `running`, `ran`, `failed`, `denied`, `missed`, `skipped`. */
  state: v.string(),
  reason: v.optional(v.string()),
  /** Slots that this row stands for: more than one where many were missed. */
  slots: v.number(),
  attempts: v.number(),
  nextAt: v.optional(v.number()),
  turn: v.optional(v.string()),
  session: v.optional(v.string()),
  usage: v.object({ inputTokens: v.number(), outputTokens: v.number() }),
  durationMs: v.optional(v.number()),
  delivery: v.optional(Delivery),
  createdAt: v.number(),
  startedAt: v.optional(v.number()),
  endedAt: v.optional(v.number()),
});

/** How a job is told; `prompt` is all of it where it was asked for. */
const shown = (job: jobs.Job, prompt = job.promptStart) => ({ ...job.spec, ...job, prompt });

const shownRun = ({ inputTokens, outputTokens, ...run }: JobRun) => ({
  ...run,
  job: run.jobName,
  turn: run.turnId,
  session: run.sessionId,
  usage: { inputTokens, outputTokens },
  ...(run.startedAt !== undefined &&
    run.endedAt !== undefined && { durationMs: Math.max(0, run.endedAt - run.startedAt) }),
});

function jobsOf({ jobs: found }: OperationContext): Jobs {
  if (found === undefined) throw new AppError("unavailable", "This server runs no jobs.");
  return found;
}

const of = v.object({ job: JobName });

const list = defineOperation({
  name: "jobs.list",
  http: "GET /api/jobs",
  scope: "operator",
  summary: "Jobs by name, each with the beginning of its prompt.",
  params: v.object({ cursor: PageCursor, limit: Limit }),
  result: pageSchema(Job),
  async run(page, context) {
    const { items, ...rest } = await jobsOf(context).list(pageOf(page));
    return { ...rest, items: items.map((job) => shown(job)) };
  },
});

const get = defineOperation({
  name: "jobs.get",
  http: "GET /api/jobs/:job",
  scope: "operator",
  summary: "One job with its prompt.",
  params: of,
  result: Job,
  async run({ job: name }, context) {
    const { job, prompt } = await jobsOf(context).get(name);
    return shown(job, prompt);
  },
});

const create = defineOperation({
  name: "jobs.create",
  http: "POST /api/jobs",
  scope: "operator",
  summary:
    "Makes a job: a prompt that is answered by its `schedule` (5 or 6 cron fields, `@daily`, `every 15m`, or one moment) in an IANA `zone`.",
  params: JobSpec,
  result: Job,
  run: async (spec, context) => {
    const { principal } = context;
    return shown(await jobsOf(context).create(spec, { principal }), spec.prompt);
  },
});

const { schedule, zone, prompt, session, catchUp, overlap, timeoutSeconds, retries, enabled } = jobFields;

const update = defineOperation({
  name: "jobs.update",
  http: "PUT /api/jobs/:job",
  scope: "operator",
  summary:
    "Changes what is given of a job; null takes `agent`, `delivery` or `tokens` away. One of OPENCLAW_JOBS is a conflict.",
  params: v.object({
    ...of.entries,
    schedule: v.optional(schedule),
    zone: v.optional(zone),
    prompt: v.optional(prompt),
    agent: v.nullish(jobFields.agent),
    session: v.optional(session),
    delivery: v.nullish(jobFields.delivery),
    catchUp: v.optional(catchUp),
    overlap: v.optional(overlap),
    timeoutSeconds: v.optional(timeoutSeconds),
    retries: v.optional(retries),
    tokens: v.nullish(jobFields.tokens),
    enabled: v.optional(enabled),
  }),
  result: Job,
  run: async ({ job, ...changes }, context) =>
    shown(await jobsOf(context).update(job, changes, context.principal)),
});

const remove = defineOperation({
  name: "jobs.delete",
  http: "DELETE /api/jobs/:job",
  scope: "operator",
  summary: "Deletes a job. What runs of it goes on to its end, and its runs can still be read.",
  params: of,
  result: v.object({ deleted: v.boolean() }),
  async run({ job }, context) {
    await jobsOf(context).remove(job, context.principal);
    return { deleted: true };
  },
});

const run = defineOperation({
  name: "jobs.run",
  http: "POST /api/jobs/:job/run",
  scope: "operator",
  summary:
    "Runs a job now, beside its schedule; `slot` names the run. A conflict while another run lets none wait.",
  params: of,
  result: v.object({ job: v.string(), slot: v.number() }),
  run: async ({ job }, context) => ({ job, ...(await jobsOf(context).run(job, context.principal)) }),
});

const runs = defineOperation({
  name: "jobs.runs",
  http: "GET /api/jobs/:job/runs",
  scope: "operator",
  summary: "What became of each slot of a job, the newest first; also of a job that was deleted.",
  params: v.object({ ...of.entries, cursor: PageCursor, limit: Limit }),
  result: pageSchema(Run),
  async run({ job, ...page }, context) {
    const { items, ...rest } = await jobsOf(context).runs(job, pageOf(page));
    return { ...rest, items: items.map(shownRun) };
  },
});

export const jobOperations: readonly Operation[] = [list, get, create, update, remove, run, runs];
