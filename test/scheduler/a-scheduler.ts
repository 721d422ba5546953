import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import type { RunTurn, TurnEvent } from "../../src/agent/turn.ts";
import { assistantMessage } from "../../src/llm/message.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { createScheduler, type SchedulerParts } from "../../src/scheduler/scheduler.ts";
import type { JobRun } from "../../src/store/job-runs.ts";
import { JobSpec } from "../../src/store/job-spec.ts";
import type { Store } from "../../src/store/open.ts";
import type { Said } from "../../src/turns/deliver.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import * as v from "valibot";
import { movedClock } from "../helpers/moved-clock.ts";
import { someUsage } from "../helpers/scripted-llm.ts";

export const operator = { name: "operator", scope: "operator" } as const;
export const alice = { name: "alice", scope: "chat" } as const;

export const aJob = (over: Partial<v.InferInput<typeof JobSpec>> = {}): JobSpec =>
  v.parse(JobSpec, { name: "report", schedule: "0 * * * *", prompt: "Report.", ...over });

export const answer = (text: string): TurnEvent[] => [
  { type: "text", text },
  { type: "message", message: assistantMessage(text), usage: someUsage, model: "m" },
  { type: "done", finishReason: "stop", usage: someUsage, model: "m", clientCalls: [] },
];

export async function* says(turn: Parameters<RunTurn>[0]): AsyncIterable<TurnEvent> {
  yield* answer(`did: ${turn.text}`);
}

export type Options = Partial<SchedulerParts["settings"]> & {
  readonly agent?: RunTurn;
  readonly clock?: ReturnType<typeof movedClock>;
  readonly leaseMs?: number;
  readonly turnsParts?: Partial<SchedulerParts["turns"]>;
};

/** One process: real turns over a store, an agent of the test's, and a scheduler whose clock the test moves. */
export function aProcess(store: Store, options: Options = {}) {
  const {
    agent = says,
    clock = movedClock("2026-11-23T10:00:00Z"),
    leaseMs,
    turnsParts,
    ...settings
  } = options;
  const said: Said[] = [];
  const deliver = { write: async (_tx: unknown, what: Said) => void said.push(what), committed() {} };
  const ends = createTurnEnds(store, 20);
  const run = pipeline([oneAtATime(store, ends), contextWindow({ store, contextBytes: 100_000 })], agent);
  const turns = createTurns({
    store,
    run,
    ends,
    commands: [],
    maxTurns: 5000,
    maxWaitingPerSession: 50,
    deliver,
    ...(leaseMs !== undefined && { leaseMs }),
  });
  const scheduler = createScheduler({
    store,
    turns: { ...turns, ...turnsParts },
    agents: () => ["researcher"],
    deliver,
    now: clock.now,
    after: clock.after,
    settings: {
      jobs: [],
      catchUpMs: 900_000,
      maxJobs: 10_000,
      jobsPerAgent: 2,
      concurrentRuns: 32,
      ...settings,
    },
    ...(leaseMs !== undefined && { leaseMs }),
  });
  const { jobs } = scheduler;

  /** Waits until nothing of what is due is left to do. */
  async function quiet() {
    // A run that ends lets the next one begin: twice nothing is nothing.
    for (let calm = 0; calm < 2;) {
      await scheduler.settled();
      await Bun.sleep(1);
      calm = scheduler.load() === 0 ? calm + 1 : 0;
    }
  }
  const runsOf = async (name = "report"): Promise<readonly JobRun[]> =>
    (await jobs.runs(name, { limit: 200 })).items.toReversed();

  return {
    store,
    turns,
    scheduler,
    jobs,
    clock,
    said,
    quiet,
    runsOf,
    async start() {
      await scheduler.start();
      await scheduler.settled();
    },
    async move(to: string | number) {
      clock.move(to);
      await quiet();
    },
    make: (over: Parameters<typeof aJob>[0] = {}) => jobs.create(aJob(over), { principal: operator }),
    /** What became of the slots of a job: `10:00 ran`. */
    async told(name?: string) {
      const time = (slot: number) => new Date(slot).toISOString().slice(11, 16);
      return (await runsOf(name)).map(({ slot, state }) => `${time(slot)} ${state}`);
    },
  };
}
