import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aGit, type Git } from "./a-git.ts";
import { aGitServer } from "./git-server.ts";

let at: Git;
let server: ReturnType<typeof aGitServer>;
beforeEach(async () => {
  at = await aGit();
  at.plain(["init", "-q", "seed"], at.outside);
  const seed = join(at.outside, "seed");
  at.write("seed/a.txt", "one\n", at.outside);
  at.plain(["add", "."], seed);
  at.plain(["commit", "-qm", "first"], seed);
  at.plain(["clone", "-q", "--bare", "seed", "served.git"], at.outside);
  server = aGitServer(at.outside);
});
afterEach(async () => {
  await server.stop();
  await at.remove();
});

test("git clones, fetches, pulls and pushes through the egress proxy", async () => {
  expect((await at.call("clone", [`${server.url}/served.git`, "copy"])).text).toContain("Cloning into");
  expect(readFileSync(join(at.work, "copy/a.txt"), "utf8")).toBe("one\n");
  at.write("copy/b.txt", "two\n");
  await at.call("add", ["."], { cwd: "copy" });
  await at.call("commit", ["-m", "second"], { cwd: "copy" });
  expect((await at.call("push", ["origin", "HEAD"], { cwd: "copy" })).text).toContain("-> main");
  expect(at.plain(["log", "-1", "--format=%s"], join(at.outside, "served.git"))).toBe("second\n");
  expect((await at.call("fetch", [], { cwd: "copy" })).text).toBe("(Done; git said nothing.)");
  expect((await at.call("pull", ["--ff-only"], { cwd: "copy" })).text).toContain("Already up to date");
});

test("git reaches no private host where that is not allowed, and no host by a redirect", async () => {
  const strict = await aGit({ allowPrivateNetwork: false });
  try {
    const { text } = await strict.call("clone", [
      `https://127.0.0.1:${new URL(server.url).port}/served.git`,
      "copy",
    ]);
    expect(text).toContain("[Refused by the egress rules:");
    expect(await strict.call("clone", [`${server.url}/served.git`, "copy"])).toMatchObject({
      status: "denied",
    });
    expect(server.asked).toEqual([]);
    expect(readdirSync(strict.work)).toEqual([]);
  } finally {
    await strict.remove();
  }
  const away = await at.call("clone", [`${server.url}/away/served.git`, "away"]);
  expect(away.text).toContain("[git ended with exit code 128]");
  expect(away.text).toContain("169.254.169.254");
  expect(existsSync(join(at.work, "away"))).toBe(false);
});

test("git leaves nothing of a clone that is cancelled", async () => {
  const hanging = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
  try {
    mkdirSync(join(at.work, "deep"));
    const stop = new AbortController();
    const running = at.call("clone", [`http://127.0.0.1:${hanging.port}/x.git`, "deep/x"], {
      signal: stop.signal,
    });
    while (hanging.pendingRequests === 0) await Bun.sleep(5);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    while (existsSync(join(at.work, "deep/x"))) await Bun.sleep(5);
    expect(readdirSync(at.work)).toEqual(["deep"]);
  } finally {
    await hanging.stop(true);
  }
});
