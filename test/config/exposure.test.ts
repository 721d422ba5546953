import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { couldCallItself, refusals } from "../../src/config/exposure.ts";
import { loadSettings } from "../../src/config/load.ts";

let folder = "";
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "openclaw-exposure-")));
  for (const name of ["work", "workshop", "data", "bin"]) await mkdir(join(folder, name));
  await symlink(join(folder, "work"), join(folder, "link-to-work"));
  await symlink("/", join(folder, "link-to-everything"));
  await writeFile(join(folder, "work/token"), "a-long-enough-token");
  await writeFile(join(folder, "work/jobs"), "[]");
  await writeFile(join(folder, "workshop/token"), "a-long-enough-token");
  await symlink(join(folder, "work/token"), join(folder, "workshop/link-to-token"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The settings that are named when one serves with these. */
function refused(environment: Record<string, string>, executable = join(folder, "bin/openclaw")) {
  return problemsOf(environment, executable).map(({ env }) => env);
}

function problemsOf(environment: Record<string, string>, executable: string) {
  const loaded = loadSettings({ OPENCLAW_DATA_DIR: "data", ...environment }, folder);
  expect(loaded.problems).toEqual([]);
  if (!loaded.settings) throw new Error("There are no settings.");
  return refusals(loaded.settings, executable, loaded.files);
}

const abroad = {
  OPENCLAW_BIND_ADDRESS: "0.0.0.0",
  OPENCLAW_AUTH_TOKEN: "a-long-enough-token",
  MODEL_PROVIDER_KEY: "sk-test",
};
const without = (name: keyof typeof abroad) =>
  Object.fromEntries(Object.entries(abroad).filter(([other]) => other !== name));

describe("refusals", () => {
  test("lets the defaults pass, and a bind beyond loopback that has a token and a model", () => {
    expect(refused({})).toEqual([]);
    expect(refused(abroad)).toEqual([]);
  });

  test("counts only loopback addresses as this machine", () => {
    for (const address of ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
      expect(refused({ OPENCLAW_BIND_ADDRESS: address })).toEqual([]);
    for (const address of ["0.0.0.0", "::", "10.0.0.1", "::ffff:127.0.0.1", "1.127.0.1"])
      expect(refused({ OPENCLAW_BIND_ADDRESS: address })).toContain("OPENCLAW_AUTH_TOKEN");
  });

  test("refuses a bind beyond loopback without a token, naming how to make one", () => {
    expect(refused(without("OPENCLAW_AUTH_TOKEN"))).toEqual(["OPENCLAW_AUTH_TOKEN"]);
    const { settings } = loadSettings({ OPENCLAW_DATA_DIR: "/d", OPENCLAW_BIND_ADDRESS: "::" }, "/");
    if (!settings) throw new Error("There are no settings.");
    expect(refusals(settings, "/bin/openclaw")[0]?.text).toContain("openssl rand -hex 32");
  });

  test("refuses the demo model beyond loopback, and anywhere when a model is required", () => {
    expect(refused(without("MODEL_PROVIDER_KEY"))).toEqual(["MODEL_PROVIDER"]);
    expect(refused({ ...abroad, MODEL_PROVIDER: "demo" })).toEqual(["MODEL_PROVIDER"]);
    expect(refused({ OPENCLAW_REQUIRE_MODEL: "true" })).toEqual(["OPENCLAW_REQUIRE_MODEL"]);
  });

  test("refuses tokens in URLs beyond loopback", () => {
    expect(refused({ ...abroad, OPENCLAW_ALLOW_QUERY_TOKEN: "true" })).toEqual([
      "OPENCLAW_ALLOW_QUERY_TOKEN",
    ]);
    expect(refused({ OPENCLAW_ALLOW_QUERY_TOKEN: "true" })).toEqual([]);
  });

  test("refuses SMS beyond loopback without the address that its signatures are about", () => {
    const sms = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "a-secret", TWILIO_FROM: "+15005550006" };
    expect(refused({ ...abroad, ...sms })).toEqual(["OPENCLAW_PUBLIC_URL"]);
    expect(refused({ ...abroad, ...sms, OPENCLAW_PUBLIC_URL: "https://agent.example.com" })).toEqual([]);
    expect(refused(sms)).toEqual([]);
  });

  test("refuses a client the token of the operator", () => {
    const OPENCLAW_AUTH_TOKEN = "0123456789abcdef";
    const refusedFor = (token: string) =>
      refused({ OPENCLAW_AUTH_TOKEN, OPENCLAW_CLIENT_TOKENS: `phone=${token}` });
    expect(refusedFor(OPENCLAW_AUTH_TOKEN)).toEqual(["OPENCLAW_CLIENT_TOKENS"]);
    expect(refusedFor("fedcba9876543210")).toEqual([]);
  });

  test("refuses client tokens without a token of the operator, on every bind", () => {
    expect(refused({ OPENCLAW_CLIENT_TOKENS: "phone=0123456789abcdef" })).toEqual(["OPENCLAW_CLIENT_TOKENS"]);
  });

  test("refuses a root that is everything, by its name, as a star and through a link", () => {
    for (const root of ["/", "*", join(folder, "link-to-everything")]) {
      expect(refused({ ...abroad, OPENCLAW_ALLOWED_READ_ROOTS: root })).toEqual([
        "OPENCLAW_ALLOWED_READ_ROOTS",
        "OPENCLAW_ALLOWED_READ_ROOTS",
      ]);
      expect(refused({ OPENCLAW_ALLOWED_READ_ROOTS: root })).toEqual(["OPENCLAW_ALLOWED_READ_ROOTS"]);
    }
  });

  test("refuses a data folder in what is granted, and the reverse, with links resolved", () => {
    expect(refused({ OPENCLAW_WORKSPACE: ".", OPENCLAW_DATA_DIR: "data" })).toEqual(["OPENCLAW_WORKSPACE"]);
    expect(refused({ OPENCLAW_WORKSPACE: "work", OPENCLAW_DATA_DIR: "." })).toEqual(["OPENCLAW_WORKSPACE"]);
    expect(refused({ OPENCLAW_WORKSPACE: "work", OPENCLAW_DATA_DIR: "link-to-work/not/yet/there" })).toEqual([
      "OPENCLAW_WORKSPACE",
    ]);
    expect(refused({ OPENCLAW_ALLOWED_READ_ROOTS: folder })).toEqual(["OPENCLAW_ALLOWED_READ_ROOTS"]);
    expect(refused({ OPENCLAW_ALLOWED_WRITE_ROOTS: join(folder, "data") })).toEqual([
      "OPENCLAW_ALLOWED_WRITE_ROOTS",
    ]);
  });

  test("compares by folder and not by prefix", () => {
    expect(refused({ OPENCLAW_WORKSPACE: "work", OPENCLAW_DATA_DIR: "workshop" })).toEqual([]);
  });

  test("refuses a write root that holds the executable", () => {
    const root = { OPENCLAW_ALLOWED_WRITE_ROOTS: join(folder, "link-to-work") };
    expect(refused(root, join(folder, "work/openclaw"))).toEqual(["OPENCLAW_ALLOWED_WRITE_ROOTS"]);
    expect(
      refused({ OPENCLAW_ALLOWED_READ_ROOTS: join(folder, "work") }, join(folder, "work/openclaw")),
    ).toEqual([]);
  });

  test("refuses the file of a secret in whatever is granted, with links resolved", () => {
    const secret = { OPENCLAW_AUTH_TOKEN_FILE: "work/token" };
    for (const name of ["WORKSPACE", "ALLOWED_READ_ROOTS", "ALLOWED_WRITE_ROOTS"]) {
      const root = { [`OPENCLAW_${name}`]: join(folder, "link-to-work") };
      expect(refused({ ...secret, ...root })).toEqual(["OPENCLAW_AUTH_TOKEN_FILE"]);
      expect(refused({ OPENCLAW_AUTH_TOKEN_FILE: "workshop/link-to-token", ...root })).toEqual([
        "OPENCLAW_AUTH_TOKEN_FILE",
      ]);
      expect(refused({ OPENCLAW_AUTH_TOKEN_FILE: "workshop/token", ...root })).toEqual([]);
    }
    // Whoever may change the folder could put another file there.
    const link = { OPENCLAW_AUTH_TOKEN_FILE: "workshop/link-to-token" };
    expect(refused({ ...link, OPENCLAW_ALLOWED_WRITE_ROOTS: join(folder, "workshop") })).toEqual([
      "OPENCLAW_AUTH_TOKEN_FILE",
    ]);
    const webhook = {
      OPENCLAW_WEBHOOKS: JSON.stringify({ a: { prompt: "x" }, b: { prompt: "x" } }),
      OPENCLAW_WEBHOOKS_A_SECRET_FILE: "work/token",
      OPENCLAW_WEBHOOKS_B_SECRET_FILE: "workshop/token",
      OPENCLAW_WORKSPACE: "work",
    };
    const [problem] = problemsOf(webhook, "/bin/openclaw");
    expect(problem).toEqual({
      env: "OPENCLAW_WEBHOOKS_A_SECRET_FILE",
      text: `OPENCLAW_WEBHOOKS_A_SECRET_FILE names ${folder}/work/token, which lies in ${folder}/work (OPENCLAW_WORKSPACE): an agent could read the secret. Move the file out of what is granted.`,
    });
  });

  test("refuses the file of any setting in a write root, and lets it be in a read root", () => {
    const jobs = { OPENCLAW_JOBS_FILE: "work/jobs" };
    const root = join(folder, "work");
    expect(refused({ ...jobs, OPENCLAW_ALLOWED_READ_ROOTS: root })).toEqual([]);
    expect(refused({ ...jobs, OPENCLAW_ALLOWED_WRITE_ROOTS: root })).toEqual(["OPENCLAW_JOBS_FILE"]);
  });

  test("refuses granted folders that are not there", () => {
    expect(refused({ OPENCLAW_WORKSPACE: "gone", OPENCLAW_ALLOWED_READ_ROOTS: "." })).toEqual([
      "OPENCLAW_WORKSPACE",
      "OPENCLAW_ALLOWED_READ_ROOTS",
    ]);
  });
});

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ OPENCLAW_ALLOW_SHELL: "true" }, true],
  [{ OPENCLAW_ALLOW_GIT: "true" }, true],
  [{ OPENCLAW_ALLOW_BROWSER: "true" }, true],
  [{ OPENCLAW_ALLOW_PRIVATE_NETWORK: "true" }, true],
  [{ OPENCLAW_ALLOW_PROCESS_NETWORK: "true" }, true],
  [{ OPENCLAW_ALLOW_CODE: "python" }, true],
  [{ OPENCLAW_ALLOW_CODE: "javascript,bash" }, true],
  [{ OPENCLAW_ALLOW_CODE: "javascript" }, false],
  [{ OPENCLAW_ALLOW_WEB_FETCH: "true", OPENCLAW_ALLOW_PDF: "true" }, false],
])("couldCallItself of %p is %p", (environment, expected) => {
  const { settings } = loadSettings({ HOME: "/home/x", ...environment }, "/");
  if (!settings) throw new Error("There are no settings.");
  expect(couldCallItself(settings)).toBe(expected);
});
