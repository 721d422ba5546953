import * as v from "valibot";
import { AppError } from "../errors.ts";
import { skipQueued } from "../store/job-runs.ts";
import { JobSpec, StoredSpec } from "../store/job-spec.ts";
import * as rows from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import type { Tx } from "../store/tx.ts";
import { slotsFrom } from "./jobs.ts";
import { firstSlot, isMoment, loadSchedules, type ReadSchedule } from "./schedule.ts";

/** Who declared jobs belong to. */
const owner = { owner: "operator", scope: "operator" } as const;

/** Looks at the jobs of OPENCLAW_JOBS before anything is started. Throws `bad_request`, naming the job and what is wrong. */
export async function checkDeclared(
  specs: readonly JobSpec[],
  { agents, now = Date.now() }: { agents: readonly string[]; now?: number },
): Promise<void> {
  if (specs.length === 0) return;
  const read = await loadSchedules();
  for (const { name, agent, ...spec } of specs) {
    const wrong = (why: string) => new AppError("bad_request", `OPENCLAW_JOBS, job ${name}: ${why}`);
    if (agent !== undefined && !agents.includes(agent))
      throw wrong(`there is no agent "${agent}". OPENCLAW_AGENTS has: ${agents.join(", ") || "none"}.`);
    try {
      // A moment may be over when the server is started again.
      if (isMoment(spec.schedule)) read(spec, now);
      else firstSlot(read, spec, now);
    } catch (error) {
      throw error instanceof AppError ? wrong(error.message) : error;
    }
  }
}

/** What one write takes: others wait for it. */
const jobsAtOnce = 50;

/** Brings the jobs that are kept in line with OPENCLAW_JOBS. What is no longer there is disabled, for the sake of its runs; of those what waits is skipped. */
export async function declareJobs(store: Store, specs: readonly JobSpec[], now: number): Promise<void> {
  const named = new Set(specs.map(({ name }) => name));
  const gone = (await store.read((tx) => rows.declared(tx))).filter(({ name }) => !named.has(name));
  if (gone.length === 0 && specs.length === 0) return;
  const read = await loadSchedules();
  for (const job of gone) await store.write((tx) => disable(tx, read, job.name, now));
  for (let at = 0; at < specs.length; at += jobsAtOnce) {
    const some = specs.slice(at, at + jobsAtOnce);
    await store.write(async (tx) => {
      for (const spec of some) await declare(tx, read, v.parse(JobSpec, spec), now);
    });
  }
}

async function declare(tx: Tx, read: ReadSchedule, spec: JobSpec, now: number): Promise<void> {
  const id = Bun.randomUUIDv7();
  const nextAt = spec.enabled ? read(spec, now).next(now) : undefined;
  if (await rows.insert(tx, { id, ...owner, source: "declared", nextAt, spec, now })) return;
  const found = await rows.find(tx, spec.name);
  const job = found && (await rows.hold(tx, found.id));
  if (job === undefined) return;
  const same =
    job.source === "declared" &&
    Bun.deepEquals(job.spec, v.parse(StoredSpec, spec)) &&
    (await rows.promptOf(tx, job.id)) === spec.prompt;
  if (same) return;
  const slots = slotsFrom(read, job, spec, now);
  await rows.change(tx, job, { ...owner, ...slots, source: "declared", spec, now });
  if (job.enabled && !spec.enabled) await skipQueued(tx, job.id, rows.disabledText, now);
}

async function disable(tx: Tx, read: ReadSchedule, name: string, now: number): Promise<void> {
  const found = await rows.find(tx, name);
  const job = found && (await rows.hold(tx, found.id));
  if (job?.source !== "declared") return;
  const spec = { ...job.spec, name, prompt: (await rows.promptOf(tx, job.id)) ?? "", enabled: false };
  await rows.change(tx, job, { ...job, ...slotsFrom(read, job, spec, now), source: "removed", spec, now });
  await skipQueued(tx, job.id, "the job is no longer in OPENCLAW_JOBS", now);
}
