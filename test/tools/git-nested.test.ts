import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aGit, type Git } from "./a-git.ts";

// Without the sandbox of processes, because the options and the environment alone must hold these.
describe("git with a hostile repository nested in it", () => {
  let at: Git;
  beforeEach(async () => {
    at = await aGit({ sandbox: "none" });
    at.plain(["init", "-q"]);
    at.write("a.txt", "one\n");
    at.write("sub/b.txt", "one\n");
    at.plain(["init", "-q"], join(at.work, "sub"));
    at.plain(["add", "."], join(at.work, "sub"));
    at.plain(["commit", "-qm", "inner"], join(at.work, "sub"));
    at.plain(["add", "a.txt", "sub"]);
    at.plain(["commit", "-qm", "outer"]);
  });
  afterEach(() => at.remove());

  const ran = () => readdirSync(at.work).filter((name) => name.startsWith("ran-"));
  /** The nested repository names a program for `key`, and has a change to show. */
  const lay = (key: string) => {
    const path = join(at.work, `${key}.sh`);
    writeFileSync(path, `#!/bin/sh\ntouch '${join(at.work, `ran-${key}`)}'\ncat\n`);
    chmodSync(path, 0o755);
    at.plain(["config", key, path], join(at.work, "sub"));
    at.write("sub/b.txt", "two\n");
  };
  const everything = async () => {
    for (const [subcommand, args] of [
      ["status", []],
      ["diff", []],
      ["commit", ["--dry-run"]],
      ["checkout", ["main"]],
      ["stash", []],
    ] as const)
      await at.call(subcommand, args);
  };
  const ignoreNone = '[submodule "deep"]\n\tpath = sub\n\turl = ./sub\n\tignore = none\n';

  test("shows its changes by names of commits only, whatever diff.submodule says", async () => {
    lay("diff.external");
    at.plain(["config", "diff.submodule", "diff"]);
    at.plain(["config", "status.submoduleSummary", "true"]);
    at.plain(["commit", "-qam", "inner again"], join(at.work, "sub"));
    expect((await at.call("diff")).text).toContain("+Subproject commit");
    at.plain(["add", "sub"]);
    expect((await at.call("status")).text).not.toContain("Submodule");
    await everything();
    expect(ran()).toEqual([]);
  }, 20_000);

  test.each([
    ["a file", () => {}],
    [
      "the index",
      () => {
        at.plain(["add", ".gitmodules"]);
        rmSync(join(at.work, ".gitmodules"));
      },
    ],
    [
      "the last commit",
      () => {
        at.plain(["add", ".gitmodules"]);
        at.plain(["commit", "-qm", "modules"]);
        at.plain(["rm", "-q", ".gitmodules"]);
      },
    ],
  ])(
    "does not look into it although .gitmodules says so in %s",
    async (_, place) => {
      at.write(".gitmodules", ignoreNone);
      place();
      at.write("sub/.git/info/attributes", "*.txt filter=evil\n");
      lay("filter.evil.clean");
      at.write("a.txt", "two\n");
      expect((await at.call("status")).status).toBe("ok");
      await everything();
      expect(ran()).toEqual([]);
    },
    20_000,
  );

  test.each([
    ["add", ["-A"]],
    ["add", ["sub"]],
    ["commit", ["-am", "all"]],
    ["commit", ["-m", "it", "--", "sub"]],
    ["stash", ["push", "--", "sub"]],
  ] as const)(
    "runs no filter of it for %s %p",
    async (subcommand, args) => {
      at.write("sub/.git/info/attributes", "*.txt filter=evil\n");
      lay("filter.evil.clean");
      at.write("a.txt", "two\n");
      expect((await at.call(subcommand, args)).text).not.toContain("denied");
      expect(ran()).toEqual([]);
    },
    20_000,
  );

  test.each([
    ["checkout", []],
    ["checkout", ["--merge"]],
    ["switch", []],
    ["switch", ["--merge"]],
  ] as const)(
    "does not look into it for a %s %p to a branch that says so",
    async (subcommand, options) => {
      at.plain(["checkout", "-qb", "other"]);
      at.write(".gitmodules", ignoreNone);
      at.plain(["add", ".gitmodules"]);
      at.plain(["commit", "-qm", "modules"]);
      at.plain(["checkout", "-q", "main"]);
      at.write("sub/.git/info/attributes", "*.txt filter=evil\n");
      lay("filter.evil.clean");
      at.write("a.txt", "two\n");
      expect((await at.call(subcommand, [...options, "other"])).status).toBe("ok");
      expect(ran()).toEqual([]);
    },
    20_000,
  );

  test("refuses to add what a nested repository answers for by a program of its own", async () => {
    lay("diff.external");
    const result = await at.call("add", ["-A"]);
    expect(result).toMatchObject({ status: "denied", text: expect.stringContaining("diff.external") });
    expect((await at.call("status")).status).toBe("ok");
  });

  test.each(["deep=x", "a b"])(
    "refuses a .gitmodules with ignore for a submodule called %s",
    async (name) => {
      at.write(".gitmodules", ignoreNone.replace("deep", name));
      expect(await at.call("status")).toMatchObject({
        status: "denied",
        text: expect.stringContaining(".gitmodules"),
      });
    },
  );

  test("refuses a .gitmodules that cannot be read", async () => {
    at.write(".gitmodules", `${ignoreNone}[broken\n`);
    const result = await at.call("add", ["a.txt"]);
    expect(result).toMatchObject({ status: "error", text: expect.stringContaining(".gitmodules") });
  });
});
