import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runs } from "../helpers/long.ts";
import { aGit, type Git } from "./a-git.ts";

// Without the sandbox of processes, because the options and the environment alone must hold these.
const sandboxes = runs(1, 2) === 1 ? (["none"] as const) : (["none", "auto"] as const);
describe.each(sandboxes)("git in a hostile repository (sandbox: %s)", (sandbox) => {
  let at: Git;
  beforeEach(async () => {
    at = await aGit({ sandbox });
    at.plain(["init", "-q"]);
    at.write("a.txt", "one\n");
    at.plain(["add", "."]);
    at.plain(["commit", "-qm", "first"]);
  });
  afterEach(() => at.remove());

  /** Leaves a mark inside the workspace, where even the sandbox would let it. */
  const program = (name: string) => {
    const path = join(at.work, `${name}.sh`);
    writeFileSync(path, `#!/bin/sh\ntouch '${join(at.work, `ran-${name}`)}'\ncat\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const ran = () => readdirSync(at.work).filter((name) => name.startsWith("ran-"));
  const everything = async () => {
    at.write("a.txt", `${Math.random()}\n`);
    const calls: [string, string[]][] = [
      ["status", []],
      ["diff", []],
      ["log", ["-p", "--format=%G? %h"]],
      ["show", []],
      ["blame", ["a.txt"]],
      ["add", ["a.txt"]],
      ["commit", ["-m", "next"]],
      ["commit", ["--amend", "--no-edit"]],
      ["branch", ["-f", "other"]],
      ["checkout", ["other"]],
      ["switch", ["-"]],
      ["stash", []],
      ["restore", ["a.txt"]],
      ["reset", ["--hard", "HEAD"]],
      ["merge", ["other"]],
      ["rebase", ["other"]],
      ["fetch", []],
      ["pull", []],
      ["push", []],
    ];
    const results = [];
    for (const [subcommand, args] of calls) results.push(await at.call(subcommand, args));
    return results;
  };

  test("runs no hook and no program that its configuration names", async () => {
    const hooks = join(at.work, ".git/hooks");
    for (const name of [
      "pre-commit",
      "commit-msg",
      "post-commit",
      "post-checkout",
      "pre-rebase",
      "post-index-change",
      "reference-transaction",
      "post-merge",
      "pre-push",
    ]) {
      writeFileSync(join(hooks, name), readFileSync(program(name)));
      chmodSync(join(hooks, name), 0o755);
    }
    at.plain(["config", "core.hooksPath", hooks]);
    for (const key of [
      "core.fsmonitor",
      "core.sshCommand",
      "core.pager",
      "core.editor",
      "core.askPass",
      "sequence.editor",
      "credential.helper",
      "gpg.program",
      "filter.evil.clean",
      "filter.evil.smudge",
      "filter.evil.process",
      "pager.log",
      "alias.status",
      "alias.x",
    ]) {
      const value = program(key);
      at.plain(["config", key, key.startsWith("alias") ? `!${value}` : value]);
    }
    for (const key of [
      "commit.gpgSign",
      "log.showSignature",
      "filter.evil.required",
      "merge.verifySignatures",
    ])
      at.plain(["config", key, "true"]);
    at.write(".gitattributes", "*.txt filter=evil\n");
    const results = await everything();
    expect(results[6]).toMatchObject({ status: "ok", text: expect.not.stringContaining("exit code") });
    expect(ran()).toEqual([]);
  }, 20_000);

  test.each([
    ["diff.external", "x"],
    ["diff.evil.command", "x"],
    ["diff.evil.textconv", "x"],
    ["merge.evil.driver", "x"],
    ["include.path", "/dev/null"],
    ["includeIf.gitdir:/.path", "/dev/null"],
    ["remote.origin.uploadpack", "x"],
    ["remote.origin.vcs", "ext"],
    ["remote.origin.proxy", "http://evil"],
    ["url.ext::sh.insteadOf", "https://example.com/"],
    ["core.alternateRefsCommand", "x"],
    ["trailer.x.command", "x"],
    ["branch.main.mergeOptions", "-F /etc/passwd"],
    ["alias.merge-x", "!x"],
  ])("refuses it for %s, naming the key", async (key, value) => {
    at.plain(["config", key, value]);
    expect(await at.call("status")).toMatchObject({
      status: "denied",
      text: expect.stringContaining(
        `the repository sets ${key.replace(/[^.]+$/, (word) => word.toLowerCase()).replace(/^includeIf/, "includeif")}`,
      ),
    });
  });

  test.each(["http.proxy", "http.https://example.com/.proxy", "http.curloptResolve", "http.cookieFile"])(
    "refuses to fetch where it sets %s",
    async (key) => {
      at.plain(["config", key, "x"]);
      expect((await at.call("status")).status).toBe("ok");
      expect((await at.call("fetch")).status).toBe("denied");
    },
  );

  test("uses no objects, no folder and no working tree outside", async () => {
    mkdirSync(join(at.outside, "repo"));
    at.plain(["init", "-q"], join(at.outside, "repo"));
    at.write("repo/secret", "SECRET\n", at.outside);
    at.plain(["add", "."], join(at.outside, "repo"));
    at.plain(["commit", "-qm", "SECRET"], join(at.outside, "repo"));
    const outside = join(at.outside, "repo");

    at.write("linked/.git", `gitdir: ${join(outside, ".git")}\n`);
    symlinkSync(outside, join(at.work, "link"));
    mkdirSync(join(at.work, "inner"));
    symlinkSync(join(outside, ".git"), join(at.work, "inner/.git"));
    for (const cwd of ["linked", "link", "inner"]) {
      const result = await at.call("log", [], { cwd });
      // In the sandbox a closed `.git` is none, and the repository above is meant.
      if (cwd !== "inner") expect(result.status).toMatch(/error|denied/);
      expect(result.text).not.toContain("SECRET");
    }
    at.plain(["config", "core.worktree", outside]);
    expect((await at.call("status")).status).toMatch(/error|denied/);
    at.plain(["config", "--unset", "core.worktree"], join(at.work, ".git"));
    at.write(".git/objects/info/alternates", `${join(outside, ".git/objects")}\n`);
    expect((await at.call("log")).status).toMatch(/error|denied/);
  });

  test("clones and fetches from a folder inside, without its hooks, and pushes to none", async () => {
    at.plain(["clone", "-q", "--bare", ".", "bare.git"]);
    expect((await at.call("clone", ["./bare.git", "copy"])).text).toContain("Cloning into");
    expect(readFileSync(join(at.work, "copy/a.txt"), "utf8")).toBe("one\n");
    expect(existsSync(join(at.work, "copy/.git/hooks"))).toBe(false);
    expect((await at.call("fetch", ["origin"], { cwd: "copy" })).status).toBe("ok");
    expect((await at.call("fetch", ["--all"], { cwd: "copy" })).status).toBe("ok");
    expect((await at.call("push", [], { cwd: "copy" })).text).toContain("Cannot push to a folder");
    expect((await at.call("clone", ["./bare.git", "copy"])).text).toContain("there is something already");
    at.plain(["config", "core.alternateRefsCommand", "x"], join(at.work, "bare.git"));
    expect((await at.call("fetch", ["origin"], { cwd: "copy" })).status).toBe("denied");
  });

  /** Two branches that each changed something: `file` on main, and a.txt on side. */
  const diverge = (file = "b.txt") => {
    at.plain(["checkout", "-qb", "side"]);
    at.write("a.txt", "side\n");
    at.plain(["commit", "-qam", "side"]);
    at.plain(["checkout", "-q", "main"]);
    at.write(file, "main\n");
    at.plain(["add", file]);
    at.plain(["commit", "-qm", "main"]);
  };

  test("goes on with no rebase whose steps start programs", async () => {
    diverge("a.txt");
    expect((await at.call("rebase", ["side"])).text).toContain("CONFLICT");
    const todo = readFileSync(join(at.work, ".git/rebase-merge/git-rebase-todo"), "utf8");
    at.write(".git/rebase-merge/git-rebase-todo", `${todo}exec ${program("todo")}\n`);
    at.write("a.txt", "both\n");
    await at.call("add", ["a.txt"]);
    expect((await at.call("rebase", ["--continue"])).status).toBe("denied");
    at.write(".git/rebase-merge/git-rebase-todo", todo);
    expect((await at.call("rebase", ["--continue"])).text).toContain("Successfully rebased");
    expect(ran()).toEqual([]);
  });

  test.each(["--abort", "--quit"])(
    "leaves a rebase whose steps start programs by %s, as it is told to",
    async (how) => {
      diverge("a.txt");
      expect((await at.call("rebase", ["side"])).text).toContain("CONFLICT");
      at.write(".git/rebase-merge/git-rebase-todo", `exec ${program("todo")}\n`);
      at.write(".git/rebase-merge/strategy", "evil\n");
      expect((await at.call("rebase", ["--continue"])).status).toBe("denied");
      expect((await at.call("rebase", [how])).status).toBe("ok");
      expect((await at.call("status")).text).not.toContain("rebase in progress");
      expect(ran()).toEqual([]);
    },
  );

  test("takes no steps of a rebase from rebase.instructionFormat", async () => {
    diverge();
    at.plain(["clone", "-q", "--bare", ".", "bare.git"]);
    at.plain(["remote", "add", "origin", "./bare.git"]);
    at.plain(["config", "rebase.instructionFormat", `%s%nexec ${program("format")}`]);
    at.plain(["config", "pull.rebase", "true"]);
    expect((await at.call("pull", ["origin", "side"])).text).toContain("Successfully rebased");
    at.plain(["reset", "-q", "--hard", "HEAD~1"]);
    at.plain(["commit", "-q", "--allow-empty", "-m", "more"]);
    expect((await at.call("rebase", ["side", "-f"])).text).toContain("Successfully rebased");
    expect(ran()).toEqual([]);
  });

  test("goes on with no rebase whose strategy is none of git's own", async () => {
    diverge();
    at.write("a.txt", "main\n");
    at.plain(["commit", "-qam", "main too"]);
    expect((await at.call("rebase", ["side", "-X", "patience"])).text).toContain("CONFLICT");
    at.write("a.txt", "both\n");
    await at.call("add", ["a.txt"]);
    const file = join(at.work, ".git/rebase-merge/strategy");
    const own = readFileSync(file, "utf8");
    for (const strategy of ["x", "ort\nx", "../x", `ort${" ".repeat(1000)}`]) {
      writeFileSync(file, strategy);
      expect(await at.call("rebase", ["--continue"])).toMatchObject({
        status: "denied",
        text: expect.stringContaining("its strategy is none of git's own; abort it."),
      });
    }
    writeFileSync(file, own);
    expect((await at.call("rebase", ["--continue"])).text).toContain("Successfully rebased");
  });

  test("reads a configured address like one that is given", async () => {
    for (const url of ["ext::sh -c x", "/etc", "ssh://host/x", join(at.outside, "x")]) {
      at.plain(["config", "remote.origin.url", url]);
      for (const args of [["origin"], [], ["--all"]]) {
        expect((await at.call("fetch", args)).status).toMatch(/error|denied/);
      }
    }
  });

  test("leaves no lock behind when it is cancelled", async () => {
    for (let i = 0; i < 1000; i += 1) at.write(`f/${i}.txt`, `${i}\n`);
    for (let i = 0; i < runs(2, 30); i += 1) {
      const stop = new AbortController();
      const running = at.call("add", ["."], { signal: stop.signal });
      setTimeout(() => stop.abort(), 50 + 30 * i);
      await running.catch(() => undefined);
      await at.call("reset");
      expect(existsSync(join(at.work, ".git/index.lock"))).toBe(false);
    }
    expect((await at.call("add", ["."])).text).toBe("(Done; git said nothing.)");
  });
});
