import { expect, test } from "bun:test";
import { plainRequest, type TurnRequest } from "../../src/agent/turn.ts";
import { ownJobs } from "../../src/scheduler/own-jobs.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as turns from "../../src/store/turns.ts";
import { startInProcess } from "../helpers/in-process.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { obey, pleaseCall } from "../helpers/tool-run.ts";
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
  const of = (caller: Parameters<typeof ownJobs>[2]["caller"]) =>
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

test("ownJobs makes a job with what the profile of the call leaves of its turn, and of the turns above", async () => {
  const { one, of, turnId } = await inTurn({ maxTokens: 900 });
  await of({ principal: "alice", turnId, agent: "researcher", maxTokens: 700 }).create(asked);
  expect((await one.jobs.get("watch")).job.spec).toMatchObject({ agent: "researcher", tokens: 700 });
  const limits = [
    { turnId: "t0", tokens: 600 },
    { turnId: "t1", tokens: 500 },
  ];
  const root = { turnId: "t0" };
  const cause = { kind: "delegate", turnId: "t1", callId: "c", depth: 2, root, above: [], limits } as const;
  const below = await inTurn({ cause, agent: "researcher" });
  await below.own.create(asked);
  expect((await below.one.jobs.get("watch")).job.spec).toMatchObject({ agent: "researcher", tokens: 500 });
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

test("ownJobs knows of a call the profile that ran it, by which name the client asked for it", async () => {
  const model = scriptedModel(obey);
  const profile = { name: "cook", description: "Cooks.", tokens: 70_000, tools: ["schedule", "time"] };
  const server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_ALLOW_SCHEDULE: "true",
    OPENCLAW_AGENTS: JSON.stringify([profile]),
  });
  try {
    const args = { action: "create", name: "watch", schedule: "@daily", prompt: "Look." };
    const content = pleaseCall([{ name: "schedule", arguments: args }]);
    const body = { model: "openclaw/cook", messages: [{ role: "user", content }] };
    await server.ask("/v1/chat/completions", body, { headers: { "x-openclaw-session-id": "s1" } });
    const job = await (await server.ask("/api/jobs/watch")).json();
    expect(job).toMatchObject({ agent: "cook", tokens: 70_000, onlyTools: ["schedule", "time"] });
  } finally {
    await server[Symbol.asyncDispose]();
    await model.close();
  }
});
