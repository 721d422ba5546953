import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aGitServer } from "../tools/git-server.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

// Each call is some programs.
setDefaultTimeout(60_000);

const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"];

/** The host's own git, outside every sandbox. */
function plainGit(folder: string, ...args: string[]): string {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const ran = Bun.spawnSync(["git", ...author, ...args], { cwd: folder, env });
  if (ran.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${ran.stderr.toString()}`);
  return ran.stdout.toString();
}

let at: ToolWorkspace;
let served: string;
let server: ReturnType<typeof aGitServer>;
beforeAll(async () => {
  served = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-served-")));
  const seed = join(served, "seed");
  mkdirSync(seed);
  plainGit(seed, "init", "-q");
  await Bun.write(join(seed, "a.txt"), "one\n");
  plainGit(seed, "add", ".");
  plainGit(seed, "commit", "-qm", "first");
  plainGit(served, "clone", "-q", "--bare", "seed", "project.git");
  server = aGitServer(served);
  at = await startToolWorkspace();
});
afterAll(async () => {
  await at?.[Symbol.asyncDispose]();
  await server?.stop();
  rmSync(served, { recursive: true, force: true });
});

const git = (subcommand: string, args: readonly string[] = [], cwd?: string) =>
  at.call("git", { subcommand, args, ...(cwd !== undefined && { cwd }) });

test("git clones, commits, pushes, fetches and pulls over HTTP on the executable", async () => {
  expect(await git("clone", [`${server.url}/project.git`, "copy"])).toMatchObject({ status: "ok" });
  expect(at.read("copy/a.txt")).toBe("one\n");
  at.put("copy/b.txt", "two\n");
  expect((await git("status", ["--short"], "copy")).text).toBe("?? b.txt");
  await git("add", ["b.txt"], "copy");
  expect((await git("diff", ["--cached"], "copy")).text).toContain("+two");
  expect((await git("commit", ["-m", "second"], "copy")).text).toContain("second");
  expect((await git("push", ["origin", "HEAD"], "copy")).text).toContain("-> main");
  expect(plainGit(join(served, "project.git"), "log", "-1", "--format=%s")).toBe("second\n");

  plainGit(served, "clone", "-q", "project.git", "other");
  await Bun.write(join(served, "other/c.txt"), "three\n");
  plainGit(join(served, "other"), "add", ".");
  plainGit(join(served, "other"), "commit", "-qm", "third");
  plainGit(join(served, "other"), "push", "-q");
  expect((await git("fetch", [], "copy")).text).toContain("origin/main");
  expect((await git("pull", ["--ff-only"], "copy")).status).toBe("ok");
  expect((await git("log", ["--oneline"], "copy")).text).toContain("third");
  expect(at.read("copy/c.txt")).toBe("three\n");
});

test("git takes no option that runs something or writes elsewhere on the executable", async () => {
  const flag = join(at.work, "owned");
  const attempts: readonly [string, readonly string[]][] = [
    ["clone", [`--upload-pack=touch ${flag}`, `${server.url}/project.git`, "x1"]],
    ["clone", ["-c", `core.sshCommand=touch ${flag}`, `${server.url}/project.git`, "x2"]],
    ["clone", [`ext::sh -c touch% ${flag}`, "x3"]],
    ["clone", [`file://${served}/project.git`, "x4"]],
    ["diff", [`--output=${at.outside}/x`]],
  ];
  for (const [subcommand, args] of attempts)
    expect(await git(subcommand, args)).not.toMatchObject({ status: "ok" });
  expect(readdirSync(at.outside)).toEqual([]);
  expect(readdirSync(at.work).filter((name) => name !== "copy")).toEqual([]);
});

test("git neither fetches nor pushes without their flags on the executable", async () => {
  await using local = await startToolWorkspace({
    env: { OPENCLAW_ALLOW_GIT_FETCH: undefined, OPENCLAW_ALLOW_GIT_PUSH: undefined },
  });
  plainGit(local.work, "init", "-q");
  const asked = server.asked.length;
  const [clone, push, status] = [
    await local.call("git", { subcommand: "clone", args: [`${server.url}/project.git`, "copy"] }),
    await local.call("git", { subcommand: "push", args: [`${server.url}/project.git`, "main"] }),
    await local.call("git", { subcommand: "status" }),
  ];
  expect([clone.reason, push.reason, status.status]).toEqual(["not_granted", "not_granted", "ok"]);
  expect(server.asked).toHaveLength(asked);
});
