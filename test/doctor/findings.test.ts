import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSettings } from "../../src/config/load.ts";
import { inspectAudit } from "../../src/doctor/audit.ts";
import { inspectClock } from "../../src/doctor/clock.ts";
import { inspectDatabase } from "../../src/doctor/database.ts";
import { inspectExposure, inspectGrants } from "../../src/doctor/exposure.ts";
import { inspectMemory, inspectOpenFiles } from "../../src/doctor/process.ts";
import { inspectSandbox } from "../../src/doctor/sandbox.ts";
import { inspectApprovals, inspectSchedule } from "../../src/doctor/work.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/open.ts";
import { type InProcess, startInProcess } from "../helpers/in-process.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { withFolder } from "../store/with-folder.ts";

function settingsOf(env: Record<string, string>) {
  const { settings, problems } = loadSettings({ HOME: "/home/x", ...env }, "/");
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return settings;
}

test("inspectDatabase tells the version, and fails for a newer one and for a damaged page", () =>
  withFolder(async (dataDir) => {
    const { store: settings } = settingsOf({ OPENCLAW_DATA_DIR: dataDir });
    expect(await inspectDatabase(settings, { whole: true })).toEqual({
      state: "ok",
      text: "there is no database yet",
    });
    await (await openStore({ dataDir })).close();
    const whole = await inspectDatabase(settings, { whole: true });
    expect(whole).toEqual({ state: "ok", text: `SQLite, version ${migrations.length}, whole` });
    using database = new Database(join(dataDir, "openclaw.db"));
    database.run("UPDATE schema_version SET version = 999");
    const newer = {
      state: "fail",
      text: expect.stringContaining("999"),
      fix: expect.stringContaining("restore"),
    };
    expect(await inspectDatabase(settings, { whole: true })).toMatchObject(newer);
    expect((await inspectSchedule(settings)).text).toBe("not looked at: the database has version 999");
  }));

test("inspectAudit, inspectSchedule and inspectApprovals read a database that nobody has used", () =>
  withFolder(async (dataDir) => {
    const { store: settings } = settingsOf({ OPENCLAW_DATA_DIR: dataDir });
    await using store = await openStore({ dataDir }).then((opened) => ({
      [Symbol.asyncDispose]: () => opened.close(),
    }));
    expect(store).toBeDefined();
    expect(await inspectAudit(settings)).toEqual({ state: "ok", text: "whole: 0 rows of 0 processes" });
    expect(await inspectSchedule(settings)).toEqual({ state: "ok", text: "no run is to come" });
    expect(await inspectApprovals(settings)).toEqual({ state: "ok", text: "nothing waits for a decision" });
  }));

test("inspectExposure and inspectGrants tell who reaches what, without a secret", () => {
  const settings = settingsOf({
    OPENCLAW_AUTH_TOKEN: "the-operators-own-token",
    OPENCLAW_CLIENT_TOKENS: "alice=alices-very-own-token",
    OPENCLAW_ALLOW_WEB_FETCH: "true",
    OPENCLAW_ALLOW_CODE: "javascript",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_ALLOW_QUERY_TOKEN: "true",
  });
  expect(inspectExposure(settings)).toEqual({
    state: "warn",
    text: "listens on 127.0.0.1:18789 (this machine only); the operator's token and 1 more; origins beside its own: none; tokens in addresses are taken, which logs keep",
    fix: "Set OPENCLAW_ALLOW_QUERY_TOKEN=false.",
  });
  expect(inspectGrants(settings)).toMatchObject({
    state: "warn",
    text: "autonomy full; reads nothing; writes nothing; granted: OPENCLAW_ALLOW_CODE=javascript, OPENCLAW_ALLOW_WEB_FETCH. OPENCLAW_AUTONOMY=full: no call asks first.",
  });
});

test("inspectExposure fails for a kept token that a start would not take", () =>
  withFolder(async (dataDir) => {
    const kept = { OPENCLAW_DATA_DIR: dataDir, OPENCLAW_ALLOW_SHELL: "true" };
    expect(inspectExposure(settingsOf(kept)).text).toContain("the token kept in the data folder");
    await writeFile(join(dataDir, "token"), "a-long-enough-token", { mode: 0o644 });
    expect(() => inspectExposure(settingsOf(kept))).toThrow("others may open it (mode 644, not 600)");
    const own = { ...kept, OPENCLAW_AUTH_TOKEN: "the-operators-own-token" };
    expect(inspectExposure(settingsOf(own)).state).toBe("ok");
  }));

test.each<Record<string, string>>([{ OPENCLAW_ALLOW_SHELL: "true" }, { OPENCLAW_ALLOW_CODE: "python" }])(
  "inspectSandbox fails beyond loopback with %j and no sandbox, as a start does",
  async (granted) => {
    const env = { ...granted, OPENCLAW_SANDBOX: "none", OPENCLAW_DATA_DIR: "/nowhere" };
    expect(await inspectSandbox(settingsOf(env))).toMatchObject({ state: "warn" });
    const abroad = settingsOf({ ...env, OPENCLAW_BIND_ADDRESS: "0.0.0.0" });
    expect(await inspectSandbox(abroad)).toMatchObject({
      state: "fail",
      text: expect.stringContaining("which others can reach"),
    });
  },
);

test("inspectOpenFiles and inspectMemory warn where a limit is below what the settings promise", () => {
  const settings = settingsOf({ OPENCLAW_MEMORY_MARK_BYTES: "1000000" });
  const limits =
    "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files";
  expect(inspectOpenFiles(settings, limits)).toMatchObject({
    state: "warn",
    fix: expect.stringContaining("LimitNOFILE"),
  });
  expect(inspectOpenFiles(settings, limits.replace("1024", "unlimited")).state).toBe("ok");
  expect(inspectMemory(settings)).toMatchObject({
    state: "warn",
    text: expect.stringContaining("beyond 1 MB"),
  });
});

test("inspectClock compares this clock with the Date of the provider, whatever that answers", async () => {
  const date = Date.UTC(2030, 0, 1);
  await using server = Bun.serve({
    port: 0,
    fetch: () => new Response("no", { status: 401, headers: { date: new Date(date).toUTCString() } }),
  });
  const settings = settingsOf({ MODEL_PROVIDER_ENDPOINT: `${server.url}v1` });
  expect((await inspectClock(settings, () => date)).state).toBe("ok");
  expect(await inspectClock(settings, () => date - 3_600_000)).toMatchObject({
    state: "warn",
    text: expect.stringContaining("3601 s behind"),
  });
  const nobody = settingsOf({ MODEL_PROVIDER_ENDPOINT: "http://127.0.0.1:9/v1" });
  expect((await inspectClock(nobody)).text).toContain("does not tell the time");
});

test("GET /doctor is the operator's alone, and holds every check with a stable id and no secret", async () => {
  await using server = await startInProcess({ OPENCLAW_CLIENT_TOKENS: "alice=alices-very-own-token" });
  const forAlice = await fetch(`${server.url}/doctor`, {
    headers: { authorization: "Bearer alices-very-own-token" },
  });
  expect(forAlice.status).toBe(403);
  expect((await fetch(`${server.url}/doctor/text`)).status).toBe(401);
  const { checks, ok, settings } = await (await server.ask("/doctor")).json();
  expect(ok).toBe(true);
  expect(checks.map(({ id }: { id: string }) => id).join(" ")).toBe(
    "settings model store data page turn exposure grants versions memory files jobs sandbox database audit schedule approvals outbox",
  );
  expect(JSON.stringify(settings)).not.toContain("alices-very-own-token");
  const text = await server.ask("/doctor/text");
  expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await text.text()).toContain("ok    store     a database in memory takes a commit");
  const online = await (await server.ask("/doctor?online=true")).json();
  expect(online.checks.at(-1)).toMatchObject({ id: "clock" });
});

test("GET /doctor counts nothing of its demo turn, while other turns are counted", async () => {
  await using server = await startInProcess({});
  const counted = async () => {
    const text = await (await server.ask("/metrics/prometheus")).text();
    return text.split("\n").filter((line) => /^openclaw_(?:turn|model|tool|input|output)\w*[ {]/.test(line));
  };
  const before = await counted();
  const { checks } = await (await server.ask("/doctor")).json();
  expect(checks).toContainEqual(expect.objectContaining({ id: "turn", state: "ok" }));
  expect(await counted()).toEqual(before);
  const [, answer] = await Promise.all([
    server.ask("/doctor?online=true"),
    server.ask("/v1/chat/completions", { messages: [{ role: "user", content: "What time is it?" }] }),
  ]);
  expect(answer.status).toBe(200);
  const totalOf = (lines: readonly string[], name: string) =>
    Number(lines.find((line) => line.startsWith(`openclaw_${name}_total `))?.split(" ")[1]);
  const after = await counted();
  for (const [name, more] of [
    ["turns", 1],
    ["model_calls", 2],
    ["tool_calls", 1],
  ] as const)
    expect(totalOf(after, name)).toBe(totalOf(before, name) + more);
});

test("GET /doctor?online=true writes down what asking the provider costs, and asks nothing beyond a budget", async () => {
  await using model = scriptedModel(() => ({ text: "ok", usage: { input: 500, output: 20 } }), {
    models: ["m"],
  });
  const env = { MODEL_PROVIDER_ENDPOINT: model.url, MODEL_PROVIDER_MODEL: "m" };
  const providerOf = async (server: InProcess) => {
    const { checks } = await (await server.ask("/doctor?online=true")).json();
    return checks.find(({ id }: { id: string }) => id === "provider");
  };
  await using unlimited = await startInProcess(env);
  expect(await providerOf(unlimited)).toMatchObject({ state: "ok" });
  expect(await (await unlimited.ask("/api/usage")).json()).toMatchObject({ calls: 1, inputTokens: 500 });

  await using limited = await startInProcess({ ...env, OPENCLAW_DAILY_TOKEN_BUDGET: "1" });
  const asked = model.requests.length;
  expect(await providerOf(limited)).toMatchObject({
    state: "fail",
    text: expect.stringContaining("OPENCLAW_DAILY_TOKEN_BUDGET"),
  });
  expect(model.requests).toHaveLength(asked);
});
