import { expect, test } from "bun:test";
import type { CanJobs } from "../../src/sandbox/can-jobs.ts";
import { schedule } from "../../src/tools/schedule.ts";

const call = {
  caller: { turnId: "t1", callId: "c1", principal: "alice" },
  signal: new AbortController().signal,
  emit() {},
};
const nextAt = Date.parse("2027-01-31T09:00:00Z");

function lent(made: Parameters<CanJobs["create"]>[0][] = []): CanJobs {
  const show = (job: { name: string; schedule: string; prompt: string }) => ({
    ...job,
    zone: "UTC",
    enabled: true,
    nextAt,
  });
  return {
    list: async () => made.map(show),
    async create(job) {
      made.push(job);
      return { ...show(job), delivered: job.deliver };
    },
    async remove() {},
  };
}

test("schedule makes, lists and deletes jobs, and says when the next run is", async () => {
  const can = { jobs: lent() };
  const asked = { name: "watch", schedule: "@daily", prompt: "Look." };
  expect(await schedule.run({ action: "list", deliver: true }, can, call)).toBe("You have made no jobs.");
  expect(await schedule.run({ action: "create", deliver: true, ...asked }, can, call)).toBe(
    "Made job watch: it runs next at 2027-01-31T09:00:00.000Z. Its answers are sent here.",
  );
  expect(await schedule.run({ action: "list", deliver: true }, can, call)).toBe(
    "watch: @daily (UTC), next 2027-01-31T09:00:00.000Z: Look.",
  );
  expect(await schedule.run({ action: "delete", name: "watch", deliver: true }, can, call)).toBe(
    "Deleted job: watch",
  );
});

test("schedule names what is missing, and asks before it changes anything", async () => {
  const can = { jobs: lent() };
  await expect(schedule.run({ action: "create", name: "watch", deliver: true }, can, call)).rejects.toThrow(
    "the parameter schedule is missing",
  );
  expect(schedule.effect({ action: "create", deliver: true })).toBe("changes");
  expect(schedule.effect({ action: "delete", deliver: true })).toBe("changes");
  expect(schedule.effect({ action: "list", deliver: true })).toBe("reads");
});
