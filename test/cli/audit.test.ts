import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { openStore } from "../../src/store/open.ts";
import { runExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { postgresDatabase } from "../helpers/postgres.ts";
import { anEvent, fillChain } from "../store/audit-records.ts";

const verify = (dataDir: string, env: Record<string, string> = {}, ...more: string[]) =>
  runExecutable(["audit", "verify", ...more], { OPENCLAW_DATA_DIR: dataDir, ...env });

async function askTime(url: string, session: string) {
  const body = { messages: [{ role: "user", content: "What time is it?" }] };
  const headers = { "content-type": "application/json", "x-openclaw-session-id": session };
  await (
    await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) })
  ).text();
}

test("openclaw audit verify reads the trail while the server runs, after a SIGKILL, after a stop, and finds what was changed", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await using server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
    await askTime(server.url, "s1");
    const running = await verify(dataDir, {}, "--json");
    expect({ ...JSON.parse(running.stdout), code: running.code, stderr: running.stderr }).toMatchObject({
      code: 0,
      ok: true,
      stderr: "",
    });
    await server.stop(signal);
    expect(await verify(dataDir)).toMatchObject({ code: 0, stderr: "" });
  }
  const { stdout } = await verify(dataDir);
  expect(stdout).toContain("of 2 processes");
  // What the reader leaves must not hold up the next start.
  await using server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
  await askTime(server.url, "s2");
  await server.stop();
  expect((await readdir(dataDir)).toSorted()).toEqual(["lock", "openclaw.db"]);

  const database = new Database(join(dataDir, "openclaw.db"));
  database.run("UPDATE audit SET outcome = 'ok' WHERE kind = 'server' AND outcome = 'stopped'");
  database.close();
  const broken = await verify(dataDir);
  expect(broken).toMatchObject({ code: 3, stderr: "" });
  expect(broken.stdout).toMatch(/broken at row \d+ of chain [0-9a-f-]{36}\. It was changed/);
  expect(JSON.parse((await verify(dataDir, {}, "--json")).stdout)).toMatchObject({
    ok: false,
    broken: { seq: expect.any(Number), why: expect.any(String) },
  });
}, 30_000);

test("openclaw audit verify reads a PostgreSQL that several processes share", async () => {
  await using database = await postgresDatabase();
  await using folder = await temporaryFolder();
  const options = { dataDir: join(folder.path, "one"), databaseUrl: database.url };
  const store = await openStore(options);
  await fillChain(store, "c1", 3);
  const next = createAuditTrail({ chain: "c2" });
  await store.write((tx) => next.recordStart(tx, anEvent({ kind: "server" })));
  const env = { OPENCLAW_DATABASE_URL: database.url };
  expect(await verify(folder.path, env)).toMatchObject({ code: 0, stderr: "" });
  await store.write((tx) => tx`DELETE FROM audit WHERE chain = 'c1' AND seq = 3`);
  expect((await verify(folder.path, env)).stdout).toContain("broken at row 3 of chain c1");
  await store.close();
}, 30_000);

test("openclaw audit verify says what it cannot look at, and shows no password", async () => {
  await using folder = await temporaryFolder();
  const none = await verify(join(folder.path, "nowhere"));
  expect(none).toMatchObject({ code: 2, stdout: "" });
  expect(none.stderr).toContain("OPENCLAW_DATA_DIR");
  const unreachable = { OPENCLAW_DATABASE_URL: "postgres://u:hunter2hunter2@127.0.0.1:1/x" };
  const down = await verify(folder.path, unreachable);
  expect(down.code).toBe(3);
  expect(down.stdout + down.stderr).not.toContain("hunter2");
  expect((await verify(folder.path, { OPENCLAW_PORT: "x" })).code).toBe(2);
  expect((await runExecutable(["audit"])).code).toBe(2);
  expect((await runExecutable(["audit", "verify", "--nonsense"])).code).toBe(2);
}, 30_000);
