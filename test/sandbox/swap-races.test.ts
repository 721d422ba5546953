import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { openBeneath, walkBeneath } from "../../src/linux/open-beneath.ts";
import { runs } from "../helpers/long.ts";
import { aWorkspace, type Workspace } from "./workspace.ts";

setDefaultTimeout(120_000);

const rounds = runs(200, 10_000);
const deadlineMs = runs(30_000, 60_000);

describe.each([
  ["openat2", openBeneath],
  ["walk", walkBeneath],
])("files by %s, while links are swapped in", (_name, open) => {
  let at: Workspace;
  let swapper: Subprocess<"ignore", "pipe", "inherit">;

  beforeEach(async () => {
    at = aWorkspace({ openBeneath: open });
    writeFileSync(join(at.outside, "secret"), "SECRET");
    mkdirSync(join(at.work, "folder"));
    writeFileSync(join(at.work, "folder/secret"), "inside");
    writeFileSync(join(at.work, "leaf"), "inside");
    const script = join(import.meta.dir, "swap-links.ts");
    swapper = Bun.spawn([process.execPath, script, at.work, at.outside], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    await swapper.stdout.getReader().read();
  });
  afterEach(async () => {
    swapper.kill("SIGKILL");
    await swapper.exited;
    at.remove();
  });

  const leaks = (path: string): boolean => {
    try {
      return readFileSync(join(at.work, path), "utf8") === "SECRET";
    } catch {
      return false;
    }
  };

  /** Calls until there were enough rounds and the swapping was seen: an unguarded read got out, and a call was refused. */
  async function race(path: string, name: string, input: object): Promise<string[]> {
    const texts: string[] = [];
    const seen = new Set<string>();
    const end = Date.now() + deadlineMs;
    while ((texts.length < rounds || seen.size < 3) && Date.now() < end) {
      const result = await at.call(name, { path, ...input });
      texts.push(result.text);
      seen.add(result.status === "ok" ? "ok" : "refused");
      if (leaks(path)) seen.add("an unguarded read leaves");
    }
    expect([...seen].sort()).toEqual(["an unguarded read leaves", "ok", "refused"]);
    return texts;
  }

  test.each(["folder/secret", "leaf"])("read_file never shows what lies outside (%s)", async (path) => {
    const texts = await race(path, "read_file", {});
    expect(texts.filter((text) => text.includes("SECRET"))).toEqual([]);
  });

  test.each(["folder/secret", "leaf"])("write_file never changes what lies outside (%s)", async (path) => {
    await race(path, "write_file", { content: "inside" });
    expect(readdirSync(at.outside)).toEqual(["secret"]);
    expect(readFileSync(join(at.outside, "secret"), "utf8")).toBe("SECRET");
  });

  test("edit_file neither reads nor changes what lies outside", async () => {
    await race("leaf", "edit_file", { old_text: "inside", new_text: "inside " });
    for (let round = 0; round < rounds; round += 1) {
      const input = { path: "folder/secret", old_text: "SECRET", new_text: "gone" };
      expect(await at.call("edit_file", input)).not.toMatchObject({ status: "ok" });
    }
    expect(readFileSync(join(at.outside, "secret"), "utf8")).toBe("SECRET");
  });

  test("apply_patch neither reads, changes nor makes what lies outside", async () => {
    const change = (path: string, from: string, to: string) =>
      at.call("apply_patch", { patch: `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${from}\n+${to}\n` });
    const make = (path: string) =>
      at.call("apply_patch", { patch: `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+made\n` });
    for (let round = 0; round < rounds; round += 1) {
      expect((await change("folder/secret", "SECRET", "gone")).status).not.toBe("ok");
      expect((await change("leaf", "SECRET", "gone")).status).not.toBe("ok");
      await make(`folder/made-${round}`);
    }
    expect(readdirSync(at.outside)).toEqual(["secret"]);
    expect(readFileSync(join(at.outside, "secret"), "utf8")).toBe("SECRET");
  });

  test("search_files never finds what lies outside", async () => {
    for (let round = 0; round < rounds; round += 1) {
      const result = await at.call("search_files", { pattern: "SECRET" });
      expect(result.text).not.toContain("secret:1");
    }
  });
});
