import { expect } from "bun:test";
import { createPairings } from "../../src/channels/pairing.ts";
import * as runs from "../../src/store/job-runs.ts";
import { aJob, aProcess, operator } from "../scheduler/a-scheduler.ts";
import { forEachStore } from "../store/stores.ts";

forEachStore("revoke disables the jobs that agents made for the sender, and no others", async (store) => {
  const one = aProcess(store);
  const deliveries = { write: async () => {}, post: async () => {}, committed() {} };
  const pairings = createPairings({ store, deliveries, now: one.clock.now });
  await pairings.ask({ channel: "post", sender: "eve", recipient: "eve" });
  const eve = { name: "post:eve", scope: "chat" } as const;
  const agent = { turnId: "t1", onlyTools: ["time"] };
  const made = await one.jobs.create(aJob({ name: "made" }), { principal: eve, agent });
  await one.jobs.create(aJob({ name: "own" }), { principal: eve });
  await one.jobs.create(aJob({ name: "other" }), { principal: operator });
  const slot = await one.jobs.run("made", operator);

  expect(await pairings.revoke({ channel: "post", sender: "eve", by: "operator" })).toBe(true);

  const { job } = await one.jobs.get("made");
  expect(job).toMatchObject({
    enabled: false,
    spec: { enabled: false },
    madeByTurn: "t1",
    onlyTools: ["time"],
  });
  expect(job.nextAt).toBeUndefined();
  expect((await one.jobs.get("made")).prompt).toBe("Report.");
  const [run] = (await store.read((tx) => runs.list(tx, { jobId: made.id }, { limit: 5 }))).items;
  expect(run).toMatchObject({ ...slot, state: "skipped" });
  for (const name of ["own", "other"])
    expect((await one.jobs.get(name)).job).toMatchObject({ enabled: true });
});
