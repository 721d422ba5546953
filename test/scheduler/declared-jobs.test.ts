import { expect, test } from "bun:test";
import { checkDeclared } from "../../src/scheduler/declared-jobs.ts";
import { aJob } from "./a-scheduler.ts";

const now = Date.parse("2026-11-23T10:00:00Z");
const check = (over: Parameters<typeof aJob>[0]) =>
  checkDeclared([aJob(over)], { agents: ["researcher"], now });

test("checkDeclared takes a moment that is over, as the server may be started again", async () => {
  await check({ schedule: "2020-01-01 10:00" });
  await check({ agent: "researcher" });
});

test("checkDeclared names the setting, the job and what is wrong", async () => {
  await expect(check({ schedule: "0 0 30 2 *" })).rejects.toThrow(/OPENCLAW_JOBS, job report: .*never comes/);
  await expect(check({ schedule: "soon" })).rejects.toThrow(/job report: .*Allowed/);
  await expect(check({ zone: "Mars/Olympus" })).rejects.toThrow(/job report: There is no time zone/);
  await expect(check({ agent: "nobody" })).rejects.toThrow(/there is no agent "nobody".*researcher/);
});
