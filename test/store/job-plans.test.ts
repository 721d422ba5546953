import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { removeBefore, trim } from "../../src/store/job-run-sweep.ts";
import { beginSooner, plannedAhead } from "../../src/store/job-clock.ts";
import * as runs from "../../src/store/job-runs.ts";
import { JobSpec } from "../../src/store/job-spec.ts";
import * as jobs from "../../src/store/jobs.ts";
import { migrations } from "../../src/store/migrations.ts";
import { memoryStore } from "../../src/store/open.ts";
import type { SqlValue, Tx } from "../../src/store/tx.ts";
import * as v from "valibot";

const spec = v.parse(JobSpec, { name: "report", schedule: "@daily", prompt: "Report." });
const now = 1_000_000;

/** How SQLite finds the rows of the statements of `act`. */
async function plansOf(act: (tx: Tx) => Promise<unknown>): Promise<string[]> {
  const store = await memoryStore();
  const texts: string[] = [];
  await store.write(async (tx) => {
    const noting = (parts: TemplateStringsArray, ...values: SqlValue[]) => {
      texts.push(parts.join("?"));
      return tx(parts, ...values);
    };
    await jobs.insert(tx, {
      id: "j1",
      owner: "alice",
      scope: "chat",
      source: "client",
      nextAt: now,
      spec,
      now,
    });
    await act(Object.assign(noting, { dialect: tx.dialect }));
  });
  await store.close();
  const database = new Database(":memory:");
  for (const { sql, sqlite = "" } of migrations) database.run(sql + sqlite);
  const plans = texts.flatMap((text) => {
    const explain = database.prepare<{ detail: string }, null[]>(`EXPLAIN QUERY PLAN ${text}`);
    const details = explain.all(...Array<null>(text.split("?").length - 1).fill(null));
    explain.finalize();
    return details.map(({ detail }) => detail);
  });
  database.close();
  return plans;
}

const job = { id: "j1", name: "report" };

/** What is done for each slot, and each time the timer runs: ten thousand idle jobs must not be seen in it. */
const statements: Record<string, (tx: Tx) => Promise<unknown>> = {
  "jobs.due": (tx) => jobs.due(tx, now, 20),
  "jobs.nextDue": (tx) => jobs.nextDue(tx),
  "jobs.hold": (tx) => jobs.hold(tx, "j1"),
  "jobs.countMade": (tx) => jobs.countMade(tx, "alice"),
  "jobs.list of an owner": (tx) => jobs.list(tx, { limit: 5, owner: "alice" }),
  "jobRuns.ready": (tx) => runs.ready(tx, now, 5),
  "jobRuns.nextReady": (tx) => runs.nextReady(tx),
  "jobRuns.openOf": (tx) => runs.openOf(tx, "j1"),
  "jobRuns.releaseNext": (tx) => runs.releaseNext(tx, "j1"),
  "jobRuns.skipQueued": (tx) => runs.skipQueued(tx, "j1", "why", now),
  "jobRuns.trim": (tx) => trim(tx, "j1", 5),
  "jobRuns.running": (tx) => runs.running(tx),
  "jobs.plannedAhead": (tx) => plannedAhead(tx, { now, slackMs: 1, after: "", most: 5 }),
  "jobRuns.beginSooner": (tx) => beginSooner(tx, { now, latest: now }),
  "jobs.disableMade": (tx) => jobs.disableMade(tx, "alice", now),
  "jobRuns.list of one": (tx) => runs.list(tx, { jobId: "j1" }, { limit: 5 }),
  "jobRuns.list": (tx) => runs.list(tx, "report", { limit: 5 }),
  "jobRuns.removeBefore": (tx) => removeBefore(tx, now, 5),
  "jobRuns.insert": (tx) => runs.insert(tx, { job, slot: 1, state: "missed", now }),
};

for (const [name, act] of Object.entries(statements))
  test(`${name} finds its rows by an index`, async () => {
    const plans = await plansOf(act);
    expect(plans.filter((plan) => plan.startsWith("SCAN") && !plan.includes("USING"))).toEqual([]);
  });
