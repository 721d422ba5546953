import { expect, test } from "bun:test";
import { startExecutable } from "../../helpers/executable.ts";
import { clusterPassword, startCluster } from "../../helpers/postgres.ts";

/** Asks until the answer is the one that is waited for; the test's own time-out ends the wait. */
async function until(status: number, ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await ask();
    if (response.status === status) return response;
    await Bun.sleep(20);
  }
}

test("/health/ready is 503 while PostgreSQL is away, turns are refused, and both recover without a restart", async () => {
  await using cluster = await startCluster();
  await using server = await startExecutable({ OPENCLAW_DATABASE_URL: cluster.url() });
  const ready = () => fetch(`${server.url}/health/ready`);
  const say = () =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "hello" }], user: "s1" }),
    });
  expect((await until(200, ready)).status).toBe(200);
  expect((await say()).status).toBe(200);
  await cluster.stop();
  expect(await (await until(503, ready)).json()).toMatchObject({ failing: "store" });
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  await cluster.start();
  await until(200, ready);
  expect((await say()).status).toBe(200);
  expect(await server.stop()).toBe(0);
  const all = server.stdout() + server.stderr();
  expect(all).not.toContain(clusterPassword);
  expect(all).not.toContain(encodeURIComponent(clusterPassword));
}, 60_000);

test("serve ends with a sentence about the database that it could not reach", async () => {
  const start = startExecutable({
    OPENCLAW_DATABASE_URL: "postgres://me:dbpass@127.0.0.1:1/claw?sslmode=maybe",
  });
  const error: unknown = await start.then(
    (server) => server[Symbol.asyncDispose](),
    (fault: unknown) => fault,
  );
  expect(String(error)).toContain('database \\"claw\\" at 127.0.0.1:1'.replaceAll("\\", ""));
  expect(String(error)).not.toContain("dbpass");
}, 60_000);
