import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

let at: ToolWorkspace;
beforeAll(async () => {
  at = await startToolWorkspace();
});
afterAll(() => at?.[Symbol.asyncDispose]());

test("write_file, read_file and edit_file work on the executable", async () => {
  const wrote = await at.call("write_file", { path: "notes/a.txt", content: "one\ntwo\n" });
  expect(wrote.status).toBe("ok");
  expect(at.read("notes/a.txt")).toBe("one\ntwo\n");
  const edited = await at.call("edit_file", { path: "notes/a.txt", old_text: "two", new_text: "three" });
  expect(edited.text).toContain("Replaced one piece of notes/a.txt");
  expect((await at.call("read_file", { path: "notes/a.txt" })).text).toContain("three");
});

test("list_files and search_files work on the executable", async () => {
  at.put("src/deep/b.ts", "const needle = 1;\n");
  expect((await at.call("list_files", { path: "src" })).text).toContain("deep/");
  expect((await at.call("list_files", { path: "src", recursive: true })).text).toContain("src/deep/b.ts");
  const found = await at.call("search_files", { pattern: "need.e", regex: true });
  expect(found).toMatchObject({ status: "ok", text: "src/deep/b.ts:1: const needle = 1;" });
});

test("apply_patch changes several files on the executable, or none", async () => {
  at.put("p/a.txt", "one\n");
  at.put("p/b.txt", "two\n");
  const both =
    "--- a/p/a.txt\n+++ b/p/a.txt\n@@ -1 +1 @@\n-one\n+ONE\n--- a/p/b.txt\n+++ b/p/b.txt\n@@ -1 +1 @@\n-two\n+TWO\n";
  expect(await at.call("apply_patch", { patch: both })).toMatchObject({ status: "ok" });
  expect([at.read("p/a.txt"), at.read("p/b.txt")]).toEqual(["ONE\n", "TWO\n"]);
  const half = both.replace("-one\n+ONE", "-ONE\n+uno");
  expect(await at.call("apply_patch", { patch: half })).toMatchObject({ status: "error" });
  expect([at.read("p/a.txt"), at.read("p/b.txt")]).toEqual(["ONE\n", "TWO\n"]);
});

test("the file tools reach nothing outside on the executable", async () => {
  const path = join(at.outside, "x");
  const results = await at.run([
    { name: "read_file", arguments: { path: "/etc/passwd" } },
    { name: "read_file", arguments: { path: "../outside/x" } },
    { name: "write_file", arguments: { path, content: "x" } },
  ]);
  for (const { status, text } of results) {
    expect(status).not.toBe("ok");
    expect(text).not.toContain("root:");
  }
  expect(existsSync(path)).toBe(false);
});

test("programs may change what the file tools made on the executable, as root too", async () => {
  await at.call("write_file", { path: "made/by/tool.txt", content: "one\n" });
  const command = "echo two >> made/by/tool.txt && touch made/x made/by/y && cat made/by/tool.txt";
  expect((await at.call("shell", { command })).text).toBe("one\ntwo\n[Exit code 0]");
});
