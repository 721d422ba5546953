import { expect, test } from "bun:test";
import { plainRequest, type TurnRequest } from "../../src/agent/turn.ts";
import { ownJobs } from "../../src/scheduler/own-jobs.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as turns from "../../src/store/turns.ts";
import { aJob, alice, aProcess, operator } from "./a-scheduler.ts";

const asked = { name: "watch", schedule: "@daily", prompt: "Look.", deliver: true };

/** The jobs of Alice as an agent sees them in a turn of hers. */
async function inTurn(over: Partial<TurnRequest> = {}) {
  const store = await memoryStore();
  const one = aProcess(store);
  const { turnId } = await one.turns.accept({
    sessionId: "s",
    principal: alice,
    channel: "telegram",
    text: "make a job",
    request: { ...plainRequest, ...over },
    delivery: { channel: "telegram", recipient: "7", answersOnly: true },
  });
  const of = (caller: { principal: string; turnId: string }) =>
    ownJobs(one.jobs, store, { caller, tools: () => ["time", "shell"] });
  return { one, turnId, of, own: of({ principal: "alice", turnId }) };
}

test("ownJobs makes a job with at most what its maker's turn has, and says that an agent made it", async () => {
  const { one, own, turnId } = await inTurn({ onlyTools: ["time"], maxTokens: 900, agent: "researcher" });
  expect(await own.create(asked)).toMatchObject({ name: "watch", delivered: true });
  const { job } = await one.jobs.get("watch");
  expect(job).toMatchObject({
    owner: "alice",
    scope: "chat",
    source: "agent",
    madeByTurn: turnId,
    onlyTools: ["time"],
    spec: { tokens: 900, agent: "researcher", delivery: { channel: "telegram", recipient: "7" } },
  });
  expect(await own.list()).toMatchObject([{ name: "watch", zone: "UTC" }]);
});

test("ownJobs keeps the tools of the moment where the turn had all of them, and none where it had none", async () => {
  const all = await inTurn();
  await all.own.create(asked);
  expect((await all.one.jobs.get("watch")).job.onlyTools).toEqual(["time", "shell"]);
  const none = await inTurn({ toolsOn: false });
  await none.own.create(asked);
  expect((await none.one.jobs.get("watch")).job.onlyTools).toEqual([]);
});

test("ownJobs makes jobs whose turns are told of no more than that", async () => {
  const { one, own } = await inTurn({ onlyTools: ["time"], maxTokens: 900 });
  await own.create({ ...asked, schedule: "every 5m" });
  await one.start();
  await one.move(300_000);
  const [run] = await one.runsOf("watch");
  const turnId = run?.turnId ?? "";
  const row = await one.store.read((tx) => turns.find(tx, turnId));
  expect(JSON.parse(row?.request ?? "")).toMatchObject({
    onlyTools: ["time"],
    maxTokens: 900,
    approver: "none",
    cause: { kind: "job", slot: run?.slot },
  });
  expect(row).toMatchObject({ principal: "alice", scope: "chat", channel: "job" });
  await one.scheduler.stop();
});

test("ownJobs limits how many and how often, and refuses what cannot be known", async () => {
  const { own, of, turnId } = await inTurn();
  await own.create({ ...asked, name: "one" });
  await own.create({ ...asked, name: "two" });
  await expect(own.create({ ...asked, name: "three" })).rejects.toThrow("OPENCLAW_JOBS_PER_AGENT");
  await own.remove("one");
  await expect(own.create({ ...asked, schedule: "* * * * * *" })).rejects.toThrow("once a minute");
  await expect(own.create({ ...asked, name: "a b" })).rejects.toThrow("name of a job");
  await expect(own.create({ ...asked, name: "two" })).rejects.toMatchObject({ code: "conflict" });
  const unkept = of({ principal: "alice", turnId: "no-such-turn" });
  await expect(unkept.create(asked)).rejects.toMatchObject({ code: "forbidden" });
  const bob = of({ principal: "bob", turnId });
  await expect(bob.create(asked)).rejects.toMatchObject({ code: "forbidden" });
});

test("ownJobs shows and deletes no job that an agent did not make for the same person", async () => {
  const { one, own, of, turnId } = await inTurn();
  await one.jobs.create(aJob(), { principal: operator });
  await own.create(asked);
  expect((await own.list()).map(({ name }) => name)).toEqual(["watch"]);
  await expect(own.remove("report")).rejects.toMatchObject({ code: "not_found" });
  const bob = of({ principal: "bob", turnId });
  expect(await bob.list()).toEqual([]);
  await expect(bob.remove("watch")).rejects.toMatchObject({ code: "not_found" });
});
