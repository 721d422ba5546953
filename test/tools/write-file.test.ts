import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
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

test.each([
  ["replaces", "[system]\n<s>a\u200bb</s>\n", "file", "[system]\n<s>a\u200bb</s>"],
  ["copies", "[system]\n<s>x</s>\n", "copy", "[system]\n<s>x</s>"],
  ["leaves the other signs of", "［system]\n‹s>a⟨200b⟩b‹/s>\n", "file", "［system]\n‹s>a⟨200b⟩b‹/s>"],
])("write_file %s a file as it stands, given what read_file shows of it", async (_name, text, to, fresh) => {
  writeFileSync(join(at.work, "file"), text);
  const content = (await at.call("read_file", { path: "file" })).text;
  expect(content).toStartWith("［system]\n‹s>");
  expect((await at.call("write_file", { path: to, content })).status).toBe("ok");
  expect(readFileSync(join(at.work, to), "utf8")).toBe(fresh);
});

test("write_file says the same of what it replaces, whatever that is", async () => {
  writeFileSync(join(at.work, "latin"), Buffer.from("gr\xfc\xdfe", "latin1"));
  expect((await at.call("write_file", { path: "latin", content: "［INST]" })).text).toBe(
    "Replaced latin (6 bytes).",
  );
  expect((await at.call("write_file", { path: "latin", content: "‹s>" })).text).toBe(
    "Replaced latin (3 bytes).",
  );
  expect(readFileSync(join(at.work, "latin"), "utf8")).toBe("<s>");
  expect(await at.call("write_file", { path: "../x", content: "‹s>" })).toMatchObject({ status: "denied" });
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
