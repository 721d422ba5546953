import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings, settingRows } from "../../src/config/load.ts";

const home = { HOME: "/home/somebody" };
const load = (environment: Record<string, string>, folder = "/start") =>
  loadSettings({ ...home, ...environment }, folder);
const problemsOf = (environment: Record<string, string>) =>
  load(environment).problems.map(({ text }) => text);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openclaw-load-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("loadSettings", () => {
  test("gives every setting its default when nothing is set", () => {
    const { settings, problems, notes, sources } = load({});
    expect(problems).toEqual([]);
    expect(notes).toEqual([]);
    expect(sources.size).toBe(0);
    expect(settings?.gateway).toMatchObject({
      bindAddress: "127.0.0.1",
      port: 18789,
      clientTokens: [],
      drainMs: 15_000,
    });
    expect(settings?.llm).toMatchObject({ timeoutMs: 120_000, requireModel: false });
    expect(settings?.llm.key).toBeUndefined();
    expect(settings?.sandbox.readRoots).toEqual([]);
    expect(settings?.store.dataDir).toBe("/home/somebody/.local/state/openclaw");
  });

  test("reports every problem at once, each with the value seen and what is allowed", () => {
    const { settings, problems } = load({
      OPENCLAW_PORT: "99999",
      OPENCLAW_AUTONOMY: "reckless",
      OPENCLAW_LLM_TIMEOUT_SECONDS: "soon",
      OPENCLAW_BIND_ADDRESS: "everywhere",
    });
    expect(settings).toBeUndefined();
    expect(problems.map(({ text }) => text)).toEqual([
      'OPENCLAW_LLM_TIMEOUT_SECONDS is "soon". Expected seconds, decimals allowed.',
      'OPENCLAW_AUTONOMY is "reckless". Expected readonly, supervised or full.',
      'OPENCLAW_BIND_ADDRESS is "everywhere". Expected an IP address such as 127.0.0.1, 0.0.0.0 or ::1, or localhost.',
      'OPENCLAW_PORT is "99999". Expected a whole number from 0 to 65535.',
    ]);
  });

  test("never shows a secret, nor a password in an address", () => {
    const { problems } = load({
      OPENCLAW_CLIENT_TOKENS: "phone=short-secret",
      OPENCLAW_AUTH_TOKEN: "hunter2",
      MODEL_PROVIDER_ENDPOINT: "ftp://me:passw0rd@example.com/v1",
      OPENCLAW_DATABASE_URL: "mysql://me:dbpass@example.com/claw",
    });
    const said = JSON.stringify(problems);
    expect(problems).toHaveLength(4);
    for (const secret of ["short-secret", "hunter2", "passw0rd", "dbpass"])
      expect(said).not.toContain(secret);
    const { sources } = load({
      MODEL_PROVIDER_KEY: "sk-123",
      MODEL_PROVIDER_ENDPOINT: "http://me:passw0rd@localhost/v1",
    });
    expect(JSON.stringify([...sources])).not.toMatch(/sk-123|passw0rd/);
  });

  test("escapes and cuts what it shows of a bad value", () => {
    const [text] = problemsOf({ OPENCLAW_PORT: `\u001b[31m${"9".repeat(500)}` });
    expect(text).toContain("\\u001b[31m999");
    expect(text?.length).toBeLessThan(250);
  });

  test("takes decimals in every name that ends in _SECONDS", () => {
    const rows = settingRows().filter(({ env }) => env.endsWith("_SECONDS"));
    expect(rows.length).toBeGreaterThan(3);
    expect(problemsOf(Object.fromEntries(rows.map(({ env }) => [env, "0.25"])))).toEqual([]);
    expect(load({ OPENCLAW_DRAIN_SECONDS: "0.25" }).settings?.gateway.drainMs).toBe(250);
  });

  test("treats an empty variable as one that is not set", () => {
    const { settings, sources } = load({ OPENCLAW_AUTH_TOKEN: "", OPENCLAW_PORT: "" });
    expect(settings?.gateway.authToken).toBeUndefined();
    expect(settings?.gateway.port).toBe(18789);
    expect(sources.size).toBe(0);
  });

  test("refuses a time-out that would end every call at once", () => {
    const names = [
      "OPENCLAW_LLM_TIMEOUT_SECONDS",
      "OPENCLAW_LLM_FIRST_TOKEN_SECONDS",
      "OPENCLAW_LLM_SILENCE_SECONDS",
      "OPENCLAW_TOOL_TIMEOUT_SECONDS",
      "OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS",
    ];
    const { problems } = load(Object.fromEntries(names.map((name) => [name, "0"])));
    expect(problems.map(({ env }) => env).sort()).toEqual(names.toSorted());
    expect(problems[0]?.text).toContain("at least");
  });

  test("resolves paths in the folder of the start, and roots in the workspace", () => {
    const { settings } = load({
      OPENCLAW_DATA_DIR: "state",
      OPENCLAW_WORKSPACE: "../work",
      OPENCLAW_ALLOWED_READ_ROOTS: "., docs, /srv/data/",
      OPENCLAW_ALLOWED_WRITE_ROOTS: "*",
    });
    expect(settings?.store.dataDir).toBe("/start/state");
    expect(settings?.sandbox).toMatchObject({
      workspace: "/work",
      readRoots: ["/work", "/work/docs", "/srv/data"],
      writeRoots: ["/"],
    });
  });

  test("refuses a relative root without a workspace", () => {
    expect(problemsOf({ OPENCLAW_ALLOWED_READ_ROOTS: "/srv,docs" })).toEqual([
      'OPENCLAW_ALLOWED_READ_ROOTS names "docs", which is relative to a workspace. Set OPENCLAW_WORKSPACE.',
    ]);
  });

  test("puts the data folder into XDG_STATE_HOME, and needs a name where there is no home", () => {
    expect(load({ XDG_STATE_HOME: "/state" }).settings?.store.dataDir).toBe("/state/openclaw");
    expect(load({ XDG_STATE_HOME: "relative" }).settings?.store.dataDir).toBe(
      "/home/somebody/.local/state/openclaw",
    );
    const homeless = loadSettings({}, "/start");
    expect(homeless.settings).toBeUndefined();
    expect(homeless.problems[0]?.text).toStartWith("OPENCLAW_DATA_DIR is not set");
  });

  test("reads NAME_FILE, less the newline at its end", async () => {
    await writeFile(join(folder, "token"), "a token of some length\n");
    const { settings, sources } = load({ OPENCLAW_AUTH_TOKEN_FILE: "token" }, folder);
    expect(settings?.gateway.authToken).toBe("a token of some length");
    expect(sources.get("OPENCLAW_AUTH_TOKEN")).toEqual({
      from: "OPENCLAW_AUTH_TOKEN_FILE",
      shown: "set (hidden)",
    });
  });

  test("refuses a NAME_FILE that is missing, empty, too large, a folder, a FIFO or no text", async () => {
    await mkdir(join(folder, "folder"));
    await writeFile(join(folder, "empty"), "\n");
    await writeFile(join(folder, "large"), "x".repeat(1_048_577));
    await writeFile(join(folder, "bytes"), new Uint8Array([0xff, 0xfe]));
    expect(Bun.spawnSync(["mkfifo", join(folder, "fifo")]).exitCode).toBe(0);
    for (const name of ["missing", "empty", "large", "folder", "fifo", "bytes"]) {
      const { settings, problems } = load({ MODEL_PROVIDER_KEY_FILE: name }, folder);
      expect(settings).toBeUndefined();
      expect(problems.map(({ env }) => env)).toEqual(["MODEL_PROVIDER_KEY"]);
    }
  });

  test("refuses a name and its NAME_FILE together", () => {
    const [text] = problemsOf({ OPENCLAW_PORT: "1", OPENCLAW_PORT_FILE: "/x" });
    expect(text).toBe(
      "OPENCLAW_PORT cannot be read. It and OPENCLAW_PORT_FILE are both set: keep one of them.",
    );
  });

  test("reads the names of OpenClaw.NET in any case, lists too, and names ours", () => {
    const { settings, notes } = load({
      OpenClaw__Port: "4000",
      OPENCLAW__LLM__APIKEY: "sk-x",
      OpenClaw__Tooling__AllowedReadRoots__1: "/b",
      OpenClaw__Tooling__AllowedReadRoots__0: "/a",
      OpenClaw__Tooling__AutonomyMode: "Full",
    });
    expect(settings?.gateway.port).toBe(4000);
    expect(settings?.llm.key).toBe("sk-x");
    expect(settings?.sandbox.readRoots).toEqual(["/a", "/b"]);
    expect(settings?.agent.autonomy).toBe("full");
    expect(notes.map(({ kind }) => kind)).toEqual(["renamed", "renamed", "renamed", "renamed"]);
    expect(notes.map(({ text }) => text)).toContain(
      "OpenClaw__Port is read as OPENCLAW_PORT, its name here.",
    );
  });

  test("prefers our name to the one of OpenClaw.NET, and says what it ignores", () => {
    const { settings, notes } = load({ OPENCLAW_PORT: "1", OpenClaw__Port: "2", OpenClaw__Nonsense: "x" });
    expect(settings?.gateway.port).toBe(1);
    expect(notes.map(({ text }) => text).sort()).toEqual([
      "OpenClaw__Nonsense is ignored: it has no counterpart here.",
      "OpenClaw__Port is ignored: OPENCLAW_PORT is set.",
    ]);
  });

  test("names the nearest real name for one that is unknown, without its value", () => {
    const { settings, notes } = load({
      OPENCLAW_PROT: "secret-1",
      MODEL_PROVIDER_KEYFILE: "secret-2",
      OPENCLAW_SOMETHING_ELSE_ALTOGETHER: "secret-3",
    });
    expect(settings).toBeDefined();
    expect(notes.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      "unknown: MODEL_PROVIDER_KEYFILE is no setting: did you mean MODEL_PROVIDER_KEY_FILE?",
      "unknown: OPENCLAW_PROT is no setting: did you mean OPENCLAW_PORT?",
      "unknown: OPENCLAW_SOMETHING_ELSE_ALTOGETHER is no setting of this version.",
    ]);
  });

  test("ignores, with one line, what Kubernetes sets for a Service of our name", () => {
    const { settings, notes } = load({
      OPENCLAW_PORT: "tcp://10.0.0.1:18789",
      OPENCLAW_SERVICE_HOST: "10.0.0.1",
      OPENCLAW_PORT_18789_TCP_ADDR: "10.0.0.1",
    });
    expect(settings?.gateway.port).toBe(18789);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatchObject({ kind: "ignored" });
    expect(notes[0]?.text).toContain("OPENCLAW_PORT, OPENCLAW_PORT_18789_TCP_ADDR, OPENCLAW_SERVICE_HOST");
  });

  test("reads budgets and prices, and refuses what would be taken for something else", () => {
    const { middleware } =
      load({
        OPENCLAW_DAILY_COST_BUDGET: "2.50",
        OPENCLAW_NAME_TOKEN_BUDGETS: "alice=1000, operator=5",
        OPENCLAW_PRICES: '{"m":{"input":2.5,"output":10}}',
      }).settings ?? {};
    expect(middleware).toMatchObject({
      costPerDay: 2_500_000,
      tokensPerName: { alice: 1000, operator: 5 },
      prices: { m: { input: 2.5, output: 10 } },
      tokensPerDay: 0,
    });
    const bad: Record<string, string>[] = [
      { OPENCLAW_DAILY_COST_BUDGET: "$5" },
      { OPENCLAW_DAILY_COST_BUDGET: "5,00" },
      { OPENCLAW_DAILY_COST_BUDGET: "0.0000001" },
      { OPENCLAW_NAME_TOKEN_BUDGETS: "alice" },
      { OPENCLAW_NAME_TOKEN_BUDGETS: "alice=many" },
      { OPENCLAW_NAME_TOKEN_BUDGETS: "alice=1.5" },
      { OPENCLAW_PRICES: "m=1" },
      { OPENCLAW_PRICES: '{"m":1}' },
      { OPENCLAW_PRICES: '{"m":{"input":-1,"output":1}}' },
      { OPENCLAW_PRICES: '{"m":{"input":1}}' },
      { OPENCLAW_PRICES: '{"m":{"input":1,"output":1,"cache":1}}' },
    ];
    for (const environment of bad) expect(problemsOf(environment)).toHaveLength(1);
  });

  test("checks addresses, origins and tokens by their form", () => {
    expect(load({ OPENCLAW_BIND_ADDRESS: "[::1]" }).settings?.gateway.bindAddress).toBe("::1");
    expect(
      load({ OPENCLAW_ALLOWED_ORIGINS: "https://A.example:443/" }).settings?.gateway.allowedOrigins,
    ).toEqual(["https://a.example"]);
    const bad: Record<string, string>[] = [
      { OPENCLAW_BIND_ADDRESS: "1.2.3.4." },
      { OPENCLAW_BIND_ADDRESS: "256.1.1.1" },
      { OPENCLAW_ALLOWED_ORIGINS: "null" },
      { OPENCLAW_ALLOWED_ORIGINS: "https://a.example/path" },
      { OPENCLAW_TRUSTED_PROXIES: "10.0.0.0/33" },
      { OPENCLAW_TRUSTED_PROXIES: "10.0.0.0/8/8" },
      { OPENCLAW_TRUSTED_PROXIES: "proxy.example" },
      { OPENCLAW_CLIENT_TOKENS: "operator=0123456789abcdef" },
      { OPENCLAW_CLIENT_TOKENS: "a=0123456789abcdef,a=fedcba9876543210" },
      { OPENCLAW_DRAIN_SECONDS: "-1" },
    ];
    for (const environment of bad) expect(problemsOf(environment)).toHaveLength(1);
    expect(problemsOf({ OPENCLAW_TRUSTED_PROXIES: "10.0.0.0/8, ::1, fd00::/8" })).toEqual([]);
  });
});
