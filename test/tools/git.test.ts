import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aGit, type Git } from "./a-git.ts";

let at: Git;
beforeAll(async () => {
  at = await aGit();
  at.plain(["init", "-q"]);
});
afterAll(() => at.remove());

describe("git", () => {
  test("adds, commits, looks and goes back, as openclaw where nobody else is named", async () => {
    at.write("a.txt", "one\n");
    expect((await at.call("status", ["--short"])).text).toBe("?? a.txt");
    expect((await at.call("add", ["a.txt"])).text).toBe("(Done; git said nothing.)");
    expect((await at.call("commit", ["-qm", "first"])).text).toBe("(Done; git said nothing.)");
    expect((await at.call("log", ["--format=%an <%ae> %s", "-1"])).text).toBe(
      "openclaw <openclaw@localhost> first",
    );
    at.write("a.txt", "two\n");
    expect((await at.call("diff")).text).toContain("-one\n+two");
    expect((await at.call("restore", ["a.txt"])).status).toBe("ok");
    expect(readFileSync(join(at.work, "a.txt"), "utf8")).toBe("one\n");
    expect((await at.call("blame", ["a.txt"])).text).toContain("one");
    expect((await at.call("show", ["HEAD", "--stat"])).text).toContain("a.txt | 1 +");
  });

  test("branches, switches, merges, rebases, stashes and resets", async () => {
    const base = (await at.call("branch", ["--show-current"])).text;
    await at.call("switch", ["-c", "side"]);
    at.write("side.txt", "side\n");
    await at.call("add", ["-A"]);
    await at.call("commit", ["-m", "side"]);
    await at.call("checkout", [base]);
    at.write("main.txt", "main\n");
    await at.call("add", ["."]);
    await at.call("commit", ["-m", "main"]);
    await at.call("switch", ["side"]);
    expect((await at.call("rebase", [base])).text).toContain("Successfully rebased");
    await at.call("switch", [base]);
    expect((await at.call("merge", ["--no-ff", "-m", "both", "side"])).text).toContain("side.txt");
    at.write("side.txt", "changed\n");
    expect((await at.call("stash", ["push", "-m", "later"])).text).toContain("later");
    expect((await at.call("stash", ["list"])).text).toContain("later");
    expect((await at.call("stash", ["pop"])).text).toContain("side.txt");
    expect((await at.call("reset", ["--hard", "HEAD~1"])).text).toContain("HEAD is now at");
    expect((await at.call("branch", ["-D", "side"])).text).toContain("Deleted branch side");
  });

  test("keeps the repository's own author", async () => {
    at.plain(["config", "user.name", "Grace"]);
    await at.call("commit", ["--allow-empty", "-m", "mine"]);
    expect((await at.call("log", ["-1", "--format=%an <%ae>"])).text).toBe("Grace <openclaw@localhost>");
    at.plain(["config", "--unset", "user.name"]);
  });

  test("tells what git said when it fails, and how to ask for less", async () => {
    const gone = await at.call("show", ["nothing"]);
    expect(gone.text).toContain("unknown revision");
    expect(gone.text).toContain("[git ended with exit code 128]");
    at.write("huge.txt", `${"x".repeat(99)}\n`.repeat(50_000));
    await at.call("add", ["huge.txt"]);
    const huge = await at.call("diff", ["--cached"]);
    expect(huge.text.length).toBeLessThan(60_000);
    expect(huge.text).toContain("bytes are left out of the middle: ask for less");
    await at.call("reset", ["--hard"]);
  });

  test.each([
    ["status", [], "reads"],
    ["log", ["--all"], "reads"],
    ["branch", [], "reads"],
    ["branch", ["-a", "-vv"], "reads"],
    ["branch", ["--list", "x*"], "reads"],
    ["branch", ["new"], "changes"],
    ["branch", ["-D", "x"], "changes"],
    ["branch", ["-v", "new"], "changes"],
    ["branch", ["--unset-upstream"], "changes"],
    ["stash", ["list"], "reads"],
    ["stash", ["show", "-p"], "reads"],
    ["stash", [], "changes"],
    ["stash", ["drop"], "changes"],
    ["commit", ["-m", "x"], "changes"],
    ["push", [], "reaches_out"],
    ["fetch", [], "reaches_out"],
    ["clone", ["https://example.com/x"], "reaches_out"],
  ])("%s %p has the effect %s", (subcommand, args, effect) => {
    expect(at.effect(subcommand, args)).toBe(effect as "reads");
  });

  test.each([
    ["fetch", ["--upload-pack=touch canary", "origin"]],
    ["fetch", ["--upload-p", "x"]],
    ["clone", ["-u", "touch canary", "https://example.com/x"]],
    ["clone", ["--config=core.fsmonitor=x", "https://example.com/x"]],
    ["clone", ["-c", "core.fsmonitor=x", "https://example.com/x"]],
    ["clone", ["--template=/tmp", "https://example.com/x"]],
    ["clone", ["--reference", "/", "https://example.com/x"]],
    ["clone", ["--separate-git-dir=/tmp/x", "https://example.com/x"]],
    ["clone", ["--recurse-submodules", "https://example.com/x"]],
    ["push", ["--receive-pack=x", "origin"]],
    ["push", ["--exec=x", "origin"]],
    ["push", ["--repo=/tmp", "origin"]],
    ["diff", ["--output=canary"]],
    ["diff", ["--no-index", "/etc/passwd", "/dev/null"]],
    ["diff", ["--ext-diff"]],
    ["diff", ["-O/etc/passwd"]],
    ["log", ["--textconv"]],
    ["log", ["--outpu", "x"]],
    ["show", ["--show-signature"]],
    ["rebase", ["--exec", "touch canary", "HEAD~1"]],
    ["rebase", ["-i", "HEAD~1"]],
    ["rebase", ["-x", "touch canary", "HEAD~1"]],
    ["commit", ["--template=/etc/passwd"]],
    ["commit", ["-e"]],
    ["commit", ["-axm", "x"]],
    ["commit", ["-S"]],
    ["commit", ["--trailer=x"]],
    ["merge", ["-F", "/etc/passwd", "x"]],
    ["merge", ["--file=/etc/passwd"]],
    ["blame", ["--contents", "/etc/passwd", "a.txt"]],
    ["blame", ["--ignore-revs-file=/etc/passwd", "a.txt"]],
    ["blame", ["-S", "/etc/passwd", "a.txt"]],
    ["add", ["-p"]],
    ["add", ["--pathspec-from-file=/etc/passwd"]],
    ["checkout", ["-p"]],
    ["status", ["--git-dir=/tmp"]],
    ["status", ["-C", "/"]],
    ["status", ["--work-tree=/"]],
    ["pull", ["--recurse-submodules"]],
    ["fetch", ["--recurse-submodules", "origin"]],
    ["branch", ["--edit-description"]],
  ])("%s refuses the option in %p and says which there are", async (subcommand, args) => {
    const result = await at.call(subcommand, args);
    expect(result).toMatchObject({ status: "denied", reason: "not_granted" });
    expect(result.text).toContain("is not granted. These are: -");
    expect(existsSync(join(at.work, "canary"))).toBe(false);
  });

  test.each([
    ["log", ["--max-count=-1"]],
    ["log", ["--max-count", "--output=x"]],
    ["log", ["-n", "x"]],
    ["log", ["--oneline=x"]],
    ["log", ["--format"]],
    ["log", ["--date=/etc/passwd"]],
    ["merge", ["--strategy=/bin/sh"]],
    ["checkout", ["-"]],
    ["checkout", ["-b", "-x"]],
    ["log", ["a\0b"]],
    ["log", ["x".repeat(1_000_000)]],
    ["log", Array.from({ length: 1000 }, () => "x")],
    ["clone", []],
    ["clone", ["https://example.com/..", "a", "b"]],
    ["stash", ["create"]],
    ["fetch", ["origin", "--", "x"]],
  ])("%s refuses the values in a list of arguments (%#)", async (subcommand, args) => {
    expect((await at.call(subcommand, args)).status).toMatch(/error|denied/);
  });

  test.each([
    ["diff", ["/etc/passwd", "/etc/hosts"]],
    ["diff", ["../outside/secret", "a.txt"]],
    ["diff", ["--", "../outside/secret"]],
    ["add", ["../outside/secret"]],
    ["log", ["--", "/etc/passwd"]],
    ["blame", ["../outside/secret"]],
    ["commit", ["-F", "../outside/secret"]],
    ["commit", ["-F", "/etc/passwd"]],
    ["clone", ["/etc", "x"]],
    ["clone", ["../outside", "x"]],
    ["clone", ["https://example.com/x", "../outside/x"]],
    ["clone", ["https://example.com/x", "/tmp/x"]],
  ])("%s refuses the paths outside in %p", async (subcommand, args) => {
    at.write("secret", "SECRET", at.outside);
    const result = await at.call(subcommand, args);
    expect(result.status).toMatch(/error|denied/);
    expect(result.text).not.toContain("SECRET");
    expect(readdirSync(at.outside)).toEqual(["secret"]);
  });

  test.each([
    "ext::sh -c touch% canary",
    "ext::sh",
    "fd::17",
    "ssh://host/x",
    "git@host:x.git",
    "host:x",
    "git://host/x",
    "ftp://host/x",
    "file://host/etc",
    "file:///etc",
    "file:///%65tc",
    "-oProxyCommand=x",
    "--upload-pack=x",
    "ssh://-oProxyCommand=touch/x",
    "http+unix://x/y",
    "",
    "https://exa mple.com/",
  ])("clone, fetch, pull and push refuse the address %j", async (address) => {
    for (const subcommand of ["clone", "fetch", "pull", "push"]) {
      const result = await at.call(subcommand, subcommand === "clone" ? [address, "x"] : [address]);
      expect(result.status).toMatch(/error|denied/);
    }
    expect(existsSync(join(at.work, "x"))).toBe(false);
  });

  test("works in a folder of the roots alone", async () => {
    for (const cwd of ["..", "/", "/etc", "../outside", "missing", "a.txt"]) {
      expect((await at.call("status", [], { cwd })).status).toMatch(/error|denied/);
    }
    at.write("sub/b.txt", "b\n");
    expect((await at.call("status", ["--short", "."], { cwd: "sub" })).text).toBe("?? ./");
  });
});

describe("git where not all is granted", () => {
  test("says which setting clone, fetch, pull and push need", async () => {
    const one = await aGit({ allowGitFetch: false, allowGitPush: false });
    try {
      one.plain(["init", "-q"]);
      expect(await one.call("clone", ["https://example.com/x"])).toMatchObject({
        status: "denied",
        text: expect.stringContaining("OPENCLAW_ALLOW_GIT_FETCH"),
      });
      expect((await one.call("push")).text).toContain("OPENCLAW_ALLOW_GIT_PUSH");
    } finally {
      await one.remove();
    }
  });

  test("only looks where no folder may be written", async () => {
    const one = await aGit({ writeRoots: [] });
    try {
      one.plain(["init", "-q"]);
      one.write("a.txt", "a");
      expect((await one.call("status", ["--short"])).text).toBe("?? a.txt");
      expect((await one.call("add", ["a.txt"])).status).toBe("denied");
    } finally {
      await one.remove();
    }
  });
});
