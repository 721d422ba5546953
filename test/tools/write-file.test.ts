import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let at: Workspace;
beforeEach(() => {
  at = aWorkspace();
});
afterEach(() => at.remove());

test("write_file makes a file, then replaces it, and says which", async () => {
  expect((await at.call("write_file", { path: "new/file.txt", content: "grüß" })).text).toBe(
    "Created new/file.txt (6 bytes).",
  );
  expect((await at.call("write_file", { path: "new/file.txt", content: "" })).text).toBe(
    "Replaced new/file.txt (0 bytes).",
  );
  expect(readFileSync(join(at.work, "new/file.txt"), "utf8")).toBe("");
});

test("write_file gives a new file the usual rights", async () => {
  const before = process.umask(0o027);
  await at.call("write_file", { path: "file", content: "x" });
  process.umask(before);
  expect(statSync(join(at.work, "file")).mode & 0o777).toBe(0o640);
});

test("write_file changes something, whatever its arguments", () => {
  const prepared = at.sandbox.prepare("write_file", '{"path":"a","content":"b"}');
  expect(prepared).toMatchObject({
    ok: true,
    effect: "changes",
    argumentsJson: '{"path":"a","content":"b"}',
  });
});
