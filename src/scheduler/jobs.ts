import * as v from "valibot";
import type { Principal } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import type { AuditTrail } from "../store/audit.ts";
import * as runs from "../store/job-runs.ts";
import { JobSpec } from "../store/job-spec.ts";
import * as rows from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import type { Page, PageOptions } from "../store/page.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import { claimManual } from "./claim-slots.ts";
import { firstSlot, loadSchedules, type ReadSchedule } from "./schedule.ts";

/** Under which the processes that share a store tell each other that there may be work. */
export const jobsTopic = "jobs";

/** Who makes a job. `agent`: it was no person; the tools that its turn had are the most that the job gets. */
export interface Maker {
  readonly principal: Principal;
  readonly agent?: { readonly turnId: string; readonly onlyTools: readonly string[] };
}

/** What may be changed of a job; null takes away what it can do without. */
export type JobChanges = {
  readonly [Field in keyof Omit<JobSpec, "name">]?: JobSpec[Field] | null | undefined;
};

export interface JobsParts {
  readonly store: Store;
  readonly now: () => number;
  readonly maxJobs: number;
  readonly jobsPerAgent: number;
  /** Names of the profiles that a job may name. */
  readonly agents: () => readonly string[];
  /** Channels that are on; absent: not looked at. */
  readonly channels?: (() => readonly string[]) | undefined;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail | undefined;
  /** Called behind each commit that may bring work. */
  readonly changed: () => void;
}

/** The jobs: what clients, commands and agents do with them. A name that is none throws `not_found`. */
export interface Jobs {
  list(options: PageOptions & { readonly owner?: string }): Promise<Page<rows.Job>>;
  get(name: string): Promise<{ readonly job: rows.Job; readonly prompt: string }>;
  /** Throws `bad_request` for a schedule, a zone, an agent or a channel that is none, and `conflict` for a name that is taken. */
  create(spec: JobSpec, maker: Maker): Promise<rows.Job>;
  /** Throws `conflict` for one that OPENCLAW_JOBS declares. Of one that is disabled what waits is skipped. */
  update(name: string, changes: JobChanges, by: Principal): Promise<rows.Job>;
  /** What runs of it goes on to its end; what waits is skipped. `owner`: only a job that an agent of that principal made. */
  remove(name: string, by: Principal, owner?: string): Promise<void>;
  /** Claims a slot now, beside the schedule; throws `conflict` while an earlier run lets none wait. */
  run(name: string, by: Principal): Promise<{ readonly slot: number }>;
  /** What became of its slots, the newest first; by a name also of jobs that are gone. */
  runs(of: string | { readonly jobId: string }, options: PageOptions): Promise<Page<runs.JobRun>>;
}

export const noJob = (name: string) => new AppError("not_found", `There is no job ${name}.`);

const declaredElsewhere = (name: string) =>
  new AppError(
    "conflict",
    `Cannot change job ${name}: it is declared in OPENCLAW_JOBS. Change it there, and restart.`,
  );

const nameTaken = (name: string) =>
  new AppError("conflict", `The name ${name} is taken: choose another one.`, { param: "name" });

/** How often the jobs of agents may run: each run costs tokens that nobody asked for at that moment. */
const agentGapMs = 60_000;
const slotsLookedAt = 20;

/** Throws when the first slots of an agent's job come closer than it may run. */
function checkPace(read: ReadSchedule, spec: JobSpec, at: number) {
  const schedule = read(spec, at);
  let slot = schedule.next(at);
  for (let looked = 0; looked < slotsLookedAt && slot !== undefined; looked++) {
    const next = schedule.next(slot);
    if (next !== undefined && next - slot < agentGapMs)
      throw new AppError("bad_request", "A job that an agent makes runs once a minute at most.", {
        param: "schedule",
      });
    slot = next;
  }
}

/** Where the slots of a job that is changed go on: where they were while its schedule stays, else now. */
export function slotsFrom(read: ReadSchedule, job: rows.Job, spec: JobSpec, at: number) {
  const same = spec.schedule === job.spec.schedule && spec.zone === job.spec.zone;
  if (same && job.enabled && spec.enabled) return { anchor: job.anchor, nextAt: job.nextAt };
  return { anchor: at, nextAt: spec.enabled ? read(spec, at).next(at) : undefined };
}

export function createJobs(parts: JobsParts): Jobs {
  const { store, now } = parts;

  const record = (tx: Tx, by: Principal, outcome: string, job: string, detail: object, turnId?: string) =>
    parts.audit?.record(tx, {
      kind: "job",
      principal: by.name,
      outcome,
      detail: { job, ...detail },
      ...(turnId !== undefined && { turnId }),
    });

  /** Writes, and lets everybody look for work. */
  async function write<T>(name: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
    const value = await store.write(async (tx) => {
      const done = await fn(tx);
      await store.signal(tx, jobsTopic, name);
      return done;
    });
    parts.changed();
    return value;
  }

  function checkPlaces({ agent, delivery }: Pick<JobSpec, "agent" | "delivery">) {
    const among = (names: readonly string[]) => names.join(", ") || "none";
    if (agent !== undefined && !parts.agents().includes(agent))
      throw new AppError(
        "bad_request",
        `There is no agent "${agent}". OPENCLAW_AGENTS has: ${among(parts.agents())}.`,
        { param: "agent" },
      );
    const channels = parts.channels?.();
    if (delivery !== undefined && channels !== undefined && !channels.includes(delivery.channel))
      throw new AppError(
        "bad_request",
        `There is no channel "${delivery.channel}" that is on. On are: ${among(channels)}.`,
        { param: "delivery" },
      );
  }

  async function checkRoom(tx: Tx, { principal, agent }: Maker, name: string) {
    if ((await rows.count(tx)) >= parts.maxJobs)
      throw new AppError(
        "conflict",
        `There are ${parts.maxJobs} jobs, and OPENCLAW_MAX_JOBS allows no more.`,
      );
    if (agent !== undefined && (await rows.countMade(tx, principal.name)) >= parts.jobsPerAgent)
      throw new AppError(
        "conflict",
        `An agent may have made ${parts.jobsPerAgent} jobs (OPENCLAW_JOBS_PER_AGENT): delete one first.`,
      );
    // Its own session would be somebody else's: what was said there stays theirs.
    const session = await sessions.find(tx, `job:${name}`);
    if (session !== undefined && principal.scope !== "operator" && session.owner !== principal.name)
      throw nameTaken(name);
  }

  async function existing(tx: Tx, name: string): Promise<rows.Job> {
    const found = await rows.find(tx, name);
    const held = found && (await rows.hold(tx, found.id));
    if (held === undefined) throw noJob(name);
    return held;
  }

  return {
    list: (options) => store.read((tx) => rows.list(tx, options)),

    get: (name) =>
      store.read(async (tx) => {
        const job = await rows.find(tx, name);
        if (job === undefined) throw noJob(name);
        return { job, prompt: (await rows.promptOf(tx, job.id)) ?? "" };
      }),

    async create(spec, maker) {
      checkPlaces(spec);
      const at = now();
      const read = await loadSchedules();
      const slot = firstSlot(read, spec, at);
      if (maker.agent !== undefined) checkPace(read, spec, at);
      const { principal, agent } = maker;
      return write(spec.name, async (tx) => {
        await checkRoom(tx, maker, spec.name);
        const made = await rows.insert(tx, {
          id: Bun.randomUUIDv7(),
          owner: principal.name,
          scope: principal.scope,
          source: agent === undefined ? "client" : "agent",
          ...(agent !== undefined && { madeByTurn: agent.turnId, onlyTools: agent.onlyTools }),
          nextAt: spec.enabled ? slot : undefined,
          spec,
          now: at,
        });
        if (!made) throw nameTaken(spec.name);
        await record(tx, principal, "created", spec.name, { schedule: spec.schedule }, agent?.turnId);
        return existing(tx, spec.name);
      });
    },

    async update(name, changes, by) {
      const read = await loadSchedules();
      return write(name, async (tx) => {
        const job = await existing(tx, name);
        if (job.source === "declared") throw declaredElsewhere(name);
        const given = Object.entries(changes).filter(([, value]) => value !== undefined);
        const merged = {
          ...job.spec,
          prompt: (await rows.promptOf(tx, job.id)) ?? "",
          ...Object.fromEntries(given.map(([key, value]) => [key, value ?? undefined])),
          name,
        };
        const spec = v.parse(JobSpec, merged);
        checkPlaces(spec);
        const same = spec.schedule === job.spec.schedule && spec.zone === job.spec.zone;
        const at = now();
        if (!same || (spec.enabled && !job.enabled)) firstSlot(read, spec, at);
        if (job.source === "agent" && !same) checkPace(read, spec, at);
        await rows.change(tx, job, { ...job, ...slotsFrom(read, job, spec, at), spec, now: at });
        if (job.enabled && !spec.enabled) await runs.skipQueued(tx, job.id, rows.disabledText, at);
        await record(tx, by, "changed", name, { fields: given.map(([key]) => key) });
        return existing(tx, name);
      });
    },

    remove: (name, by, owner) =>
      write(name, async (tx) => {
        const job = await existing(tx, name);
        // Of whose it is nobody else is told.
        if (owner !== undefined && (job.owner !== owner || job.source !== "agent")) throw noJob(name);
        if (job.source === "declared") throw declaredElsewhere(name);
        await rows.remove(tx, job.id);
        await runs.skipQueued(tx, job.id, "the job was deleted", now());
        await record(tx, by, "deleted", name, {});
      }),

    run: (name, by) =>
      write(name, async (tx) => {
        const job = await existing(tx, name);
        const slot = await claimManual(tx, job, now());
        if (slot === undefined)
          throw new AppError("conflict", `Cannot run job ${name} now: a run of it has not ended.`);
        await record(tx, by, "run", name, { slot });
        return { slot };
      }),

    runs: (of, options) => store.read((tx) => runs.list(tx, of, options)),
  };
}
