import { expect, test } from "bun:test";
import { jobCommands } from "../../src/scheduler/job-commands.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { alice, aJob, aProcess, operator } from "./a-scheduler.ts";

test("jobCommands show the operator all jobs, and everybody else their own", async () => {
  const one = aProcess(await memoryStore());
  const [command] = jobCommands(one.jobs);
  const ask = async (principal: typeof alice | typeof operator, args = "") =>
    command?.run(args, { ...aTurn(), principal });
  expect(await ask(operator)).toBe("There are no jobs.");
  await one.make();
  await one.jobs.create(aJob({ name: "hers" }), { principal: alice });
  expect(await ask(operator)).toBe(
    [
      "Jobs:",
      "- hers: 0 * * * * (UTC), next 2026-11-23T11:00:00.000Z",
      "- report: 0 * * * * (UTC), next 2026-11-23T11:00:00.000Z",
    ].join("\n"),
  );
  expect(await ask(alice)).toBe("Jobs:\n- hers: 0 * * * * (UTC), next 2026-11-23T11:00:00.000Z");
  expect(await ask(alice, "report")).toBe("There is no job report.");
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  expect(await ask(operator, "report")).toContain("- 2026-11-23T11:00:00.000Z: ran, 15 tokens");
  await one.scheduler.stop();
});

test("jobCommands show nobody the runs of another's job that had the same name", async () => {
  const one = aProcess(await memoryStore());
  const [command] = jobCommands(one.jobs);
  await one.make();
  await one.start();
  await one.move("2026-11-23T11:00:00Z");
  await one.jobs.remove("report", operator);
  await one.store.write((tx) => sessions.remove(tx, "job:report"));
  await one.jobs.create(aJob(), { principal: alice });
  const told = await command?.run("report", { ...aTurn(), principal: alice });
  expect(told).toStartWith("report: ");
  expect(told).not.toContain("11:00:00.000Z: ran");
  await one.scheduler.stop();
});
