import type { Settings } from "../config/settings.ts";
import { jobCommands } from "../scheduler/job-commands.ts";
import { ownJobs } from "../scheduler/own-jobs.ts";
import { createScheduler } from "../scheduler/scheduler.ts";
import { sweepRuns } from "../scheduler/sweep-runs.ts";
import type { CanJobs } from "../sandbox/can-jobs.ts";
import type { Caller } from "../sandbox/tool.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Deliver } from "../turns/deliver.ts";
import type { Turns } from "../turns/turns.ts";

interface JobWiring {
  readonly settings: Settings;
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly deliver: Deliver;
  /** Names of the channels that are on. */
  readonly channels: readonly string[];
  /** What is made later, with the commands that are made here. */
  readonly core: () => { readonly turns: Turns; readonly sandbox: { readonly names: readonly string[] } };
}

/** Puts the jobs together: their timer, what clients and commands see of them, and what is lent to agents. */
export function createJobs({ settings, store, audit, deliver, channels, core }: JobWiring) {
  const turns: Pick<Turns, "accept" | "cancel" | "follow"> = {
    accept: (turn, listener, also) => core().turns.accept(turn, listener, also),
    cancel: (turnId) => core().turns.cancel(turnId),
    follow: (sessionId, after, listener) => core().turns.follow(sessionId, after, listener),
  };
  const scheduler = createScheduler({
    store,
    turns,
    settings: settings.scheduler,
    agents: () => settings.agent.agents.map(({ name }) => name),
    channels: () => channels,
    deliver,
    audit,
    // SQLite belongs to one process: there is nobody to wait for.
    ...(settings.store.databaseUrl !== undefined && { leaseMs: settings.store.leaseMs }),
  });
  const tools = () => core().sandbox.names;
  return {
    scheduler,
    jobs: scheduler.jobs,
    commands: jobCommands(scheduler.jobs),
    lend: (caller: Caller): CanJobs => ownJobs(scheduler.jobs, store, { caller, tools }),
    sweep: (signal: AbortSignal) => sweepRuns(store, settings.turns.sessionMs, signal),
  };
}
