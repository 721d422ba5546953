import type { Settings } from "../config/settings.ts";
import type { BreakerState } from "../llm/breaker.ts";
import * as approvals from "../store/approvals.ts";
import * as jobs from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import * as outbox from "../store/outbox.ts";
import * as usage from "../store/usage.ts";
import type { Gauge } from "../telemetry/gather.ts";

export interface Watched {
  readonly settings: Settings;
  readonly version: string;
  readonly store: Store;
  readonly slots: { readonly running: number; readonly waiting: number };
  readonly breakers: () => readonly BreakerState[];
  readonly runningJobs: () => number;
  readonly connections: () => number;
}

const dollars = (millionths: number) => millionths / 1_000_000;
const mostBreakers = 100;
const breakerStates: Readonly<Record<BreakerState["state"], number>> = { closed: 0, open: 1, "half-open": 2 };

/** What is spent today, and what may be. */
function budgetGauges({ settings, store }: Watched): readonly Gauge[] {
  const { tokensPerDay, costPerDay } = settings.middleware;
  const today = () => store.read((tx) => usage.spentOnDay(tx, usage.dayOf(Date.now())));
  return [
    {
      name: "openclaw_today_tokens",
      help: "Tokens spent since midnight UTC, by every process that shares the store.",
      read: async () => (await today()).tokens,
    },
    {
      name: "openclaw_today_cost_dollars",
      help: "US dollars spent since midnight UTC, as far as prices are known.",
      read: async () => dollars((await today()).cost),
    },
    {
      name: "openclaw_daily_token_budget",
      help: "Tokens that may be spent a day; 0: no limit.",
      read: () => tokensPerDay,
    },
    {
      name: "openclaw_daily_cost_budget_dollars",
      help: "US dollars that may be spent a day; 0: no limit.",
      read: () => dollars(costPerDay),
    },
  ];
}

/** Figures of the parts that are looked up when somebody asks for them. */
export function createGauges(watched: Watched): readonly Gauge[] {
  const { store, slots, breakers, runningJobs, connections, version } = watched;
  return [
    {
      name: "openclaw_build_info",
      help: "The version that runs; always 1.",
      labels: ["version"],
      read: () => [{ labels: [version], value: 1 }],
    },
    { name: "openclaw_turns_running", help: "Turns that run.", read: () => slots.running },
    {
      name: "openclaw_turns_waiting",
      help: "Turns that wait for a slot.",
      read: () => slots.waiting,
    },
    { name: "openclaw_sockets_open", help: "Open WebSocket connections.", read: connections },
    {
      name: "openclaw_outbox_waiting",
      help: "Pieces that wait to be sent by a channel.",
      read: async () => (await store.read(outbox.depth)).waiting,
    },
    {
      name: "openclaw_outbox_dead",
      help: "Pieces that were given up and are kept.",
      read: async () => (await store.read(outbox.depth)).dead,
    },
    { name: "openclaw_jobs_running", help: "Runs of jobs in this process.", read: runningJobs },
    {
      name: "openclaw_jobs_due",
      help: "Jobs whose time has come and that nobody has begun.",
      read: () => store.read((tx) => jobs.countDue(tx, Date.now())),
    },
    {
      name: "openclaw_approvals_pending",
      help: "Calls that wait for a person.",
      read: () => store.read((tx) => approvals.countPending(tx, Date.now())),
    },
    {
      name: "openclaw_model_breaker_state",
      help: "Breakers of models that failed of late: 0 closed, 1 open, 2 being tried.",
      labels: ["model"],
      read: () =>
        breakers()
          .slice(0, mostBreakers)
          .map(({ model, state }) => ({ labels: [model], value: breakerStates[state] })),
    },
    {
      kind: "counter",
      name: "openclaw_store_commits_total",
      help: "Transactions that were committed.",
      read: () => store.commits(),
    },
    ...budgetGauges(watched),
  ];
}
