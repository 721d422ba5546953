import { expect, test } from "bun:test";
import { startInProcess } from "../helpers/in-process.ts";

const daily = {
  name: "report",
  schedule: "0 8 * * MON-FRI",
  zone: "Europe/Berlin",
  prompt: "What time is it?",
};

test("jobs.* make, show, change, run and delete a job over HTTP", async () => {
  await using server = await startInProcess({});
  const ask = async (path: string, body?: unknown, init?: { method: string }) => {
    const response = await server.ask(path, body, init);
    const read: Record<string, unknown> = JSON.parse(await response.text());
    return { status: response.status, ...read };
  };

  expect(await ask("/api/jobs", daily)).toMatchObject({ ...daily, source: "client", owner: "operator" });
  expect(await ask("/api/jobs", daily)).toMatchObject({ status: 409 });
  expect(await ask("/api/jobs", { ...daily, name: "x", schedule: "0 0 30 2 *" })).toMatchObject({
    status: 400,
    error: { param: "schedule" },
  });
  expect(
    await ask("/api/jobs", { ...daily, name: "x", delivery: { channel: "fax", recipient: "1" } }),
  ).toMatchObject({
    status: 400,
    error: { param: "delivery" },
  });
  expect(await ask("/api/jobs/report", { retries: 0 }, { method: "PUT" })).toMatchObject({
    retries: 0,
    enabled: true,
  });
  expect(await ask("/api/jobs")).toMatchObject({ items: [{ name: "report", retries: 0 }] });
  const long = "p".repeat(1_000_000);
  expect(await ask("/api/jobs", { ...daily, name: "long", prompt: long })).toMatchObject({ prompt: long });

  expect(await ask("/api/jobs/report/run", {})).toMatchObject({ job: "report" });
  const runsOf = () => ask("/api/jobs/report/runs");
  let told = await runsOf();
  const deadline = performance.now() + 15_000;
  while (!JSON.stringify(told).includes('"ran"') && performance.now() < deadline) {
    await Bun.sleep(5);
    told = await runsOf();
  }
  expect(told).toMatchObject({ items: [{ state: "ran", manual: true, session: "job:report", attempts: 1 }] });
  expect(await ask("/api/sessions/job:report/messages")).toMatchObject({ status: 200 });

  expect(await ask("/api/jobs/report", undefined, { method: "DELETE" })).toMatchObject({ deleted: true });
  expect(await ask("/api/jobs/report")).toMatchObject({ status: 404 });
  expect(await runsOf()).toMatchObject({ items: [{ state: "ran" }] });
});

test("jobs.* leave what OPENCLAW_JOBS declares as it is", async () => {
  await using server = await startInProcess({ OPENCLAW_JOBS: JSON.stringify([daily]) });
  const list = async () => (await server.ask("/api/jobs")).json();
  const deadline = performance.now() + 15_000;
  while (!JSON.stringify(await list()).includes("declared") && performance.now() < deadline)
    await Bun.sleep(5);
  const response = await server.ask("/api/jobs/report", { retries: 1 }, { method: "PUT" });
  expect(response.status).toBe(409);
  expect(await response.text()).toContain("OPENCLAW_JOBS");
});

test("assemble refuses to start with a job that never comes", async () => {
  const jobs = JSON.stringify([{ ...daily, schedule: "0 0 30 2 *" }]);
  await expect(startInProcess({ OPENCLAW_JOBS: jobs })).rejects.toThrow("OPENCLAW_JOBS, job report");
});
