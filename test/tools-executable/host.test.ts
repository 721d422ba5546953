import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chownSync } from "node:fs";
import * as v from "valibot";
import { runExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { startToolWorkspace } from "./tool-workspace.ts";

// The executable is started many times.
setDefaultTimeout(60_000);

const isRoot = process.getuid?.() === 0;

let work: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  work = await temporaryFolder();
  if (isRoot) chownSync(work.path, 10_001, 10_001);
});
afterAll(() => work?.[Symbol.asyncDispose]());

const withShell = (more: Record<string, string> = {}) => ({
  OPENCLAW_WORKSPACE: work.path,
  OPENCLAW_ALLOW_SHELL: "true",
  ...more,
});

/** Words before a command that let it find a kernel without Landlock; it stays the child that was started. */
const withoutLandlock = [
  "strace",
  "--daemonize",
  "--follow-forks",
  "--seccomp-bpf",
  "--quiet=all",
  "--output=/dev/null",
  "--trace=landlock_create_ruleset",
  "--inject=landlock_create_ruleset:error=ENOSYS",
];

const Report = v.object({
  checks: v.array(
    v.object({ id: v.string(), state: v.string(), text: v.string(), fix: v.optional(v.string()) }),
  ),
});

async function sandboxCheck(env: Record<string, string>, wrapper: readonly string[] = []) {
  const { code, stdout } = await runExecutable(["--check", "--json"], env, { wrapper });
  const found = v.parse(Report, JSON.parse(stdout)).checks.find(({ id }) => id === "sandbox");
  return { code, state: found?.state, text: found?.text ?? "", fix: found?.fix ?? "" };
}

test("openclaw --check says what the sandbox of this host is", async () => {
  const { code, state, text } = await sandboxCheck(withShell());
  expect({ code, state }).toEqual({ code: 0, state: "ok" });
  expect(text).toMatch(/programs: Landlock \d+, seccomp, (namespaces by bubblewrap|no namespaces)/);
  if (isRoot) expect(text).toContain("user 10001");
  const off = await sandboxCheck({});
  expect(off.text).toContain("nothing that is granted runs programs");
});

test("openclaw --doctor says what the sandbox of this host is", async () => {
  const { stdout } = await runExecutable(["--doctor", "--json"], withShell());
  expect(stdout).toContain("programs: Landlock");
});

test("openclaw says at its start what weakens the sandbox", async () => {
  if (!isRoot) return;
  await using owned = await temporaryFolder();
  await using server = await startExecutable(withShell({ OPENCLAW_WORKSPACE: owned.path }));
  expect(server.stdout()).toMatch(/ {2}warning +Programs run as user 0 .*OPENCLAW_SANDBOX_USER/);
});

test("OPENCLAW_SANDBOX=none runs programs without one, and --check warns of it", async () => {
  const { code, state, fix } = await sandboxCheck(withShell({ OPENCLAW_SANDBOX: "none" }));
  expect({ code, state }).toEqual({ code: 0, state: "warn" });
  expect(fix).toContain("OPENCLAW_SANDBOX=auto");
  await using at = await startToolWorkspace({ env: { OPENCLAW_SANDBOX: "none" } });
  expect((await at.call("shell", { command: "ls -d ../outside" })).text).toContain("../outside\n");
});

test("OPENCLAW_SANDBOX=required starts where there is one, and not where there is none", async () => {
  const env = withShell({ OPENCLAW_SANDBOX: "required" });
  await using server = await startExecutable(env);
  expect(server.stdout()).toContain("shell");
  const without = await runExecutable([], env, { wrapper: withoutLandlock });
  expect(without.code).not.toBe(0);
  expect(without.stderr).toContain("OPENCLAW_SANDBOX");
  expect(without.stdout).not.toContain("/chat");
});

test("a host without Landlock refuses programs, and --check fails with the way out", async () => {
  const { code, state, text, fix } = await sandboxCheck(withShell(), withoutLandlock);
  expect({ code, state }).toEqual({ code: 3, state: "fail" });
  expect(text).toContain("no Landlock");
  expect(fix).toContain("OPENCLAW_SANDBOX=none");
  await using at = await startToolWorkspace({ wrapper: withoutLandlock });
  const ran = await at.call("shell", { command: "id" });
  expect(ran).toMatchObject({ status: "denied", reason: "not_granted" });
  expect(ran.text).toContain("OPENCLAW_SANDBOX=none");
  // What needs no program is there all the same.
  expect((await at.call("code_exec", { language: "javascript", code: "6 * 7" })).text).toContain("42");
});

test("a public address with shell and no sandbox is refused", async () => {
  const open = {
    OPENCLAW_BIND_ADDRESS: "0.0.0.0",
    OPENCLAW_AUTH_TOKEN: "0123456789abcdef0123456789abcdef",
    OPENCLAW_REQUIRE_MODEL: "true",
    MODEL_PROVIDER_KEY: "sk-of-nobody",
    MODEL_PROVIDER_ENDPOINT: "http://127.0.0.1:9/v1",
  };
  for (const [env, wrapper] of [
    [{ ...open, OPENCLAW_SANDBOX: "none" }, []],
    [open, withoutLandlock],
  ] as const) {
    const { code, stderr } = await runExecutable([], withShell(env), { wrapper });
    expect(code).not.toBe(0);
    expect(stderr).toContain("OPENCLAW_ALLOW_SHELL is true, but programs have no working sandbox here");
  }
  const { code } = await runExecutable(["--check"], withShell(open));
  expect(code).toBe(0);
});
