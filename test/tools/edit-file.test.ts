import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let at: Workspace;
beforeEach(() => {
  at = aWorkspace();
});
afterEach(() => at.remove());

test("edit_file replaces the one place and leaves the rest as it is, byte by byte", async () => {
  const file = join(at.work, "file");
  writeFileSync(file, "\ufeffone $& two\r\nthree\r\n");
  chmodSync(file, 0o604);
  const result = await at.call("edit_file", {
    path: "file",
    old_text: "$& two\nthree",
    new_text: "$1\nfour",
  });
  expect(result).toMatchObject({ status: "ok", text: "Replaced one piece of file (now 17 bytes)." });
  expect(readFileSync(file, "utf8")).toBe("\ufeffone $1\r\nfour\r\n");
  expect(statSync(file).mode & 0o777).toBe(0o604);
});

test.each([
  ["missing", "x", "does not stand in it"],
  ["aa", "x", "stands in it 2 times"],
  ["a", "a", "the same"],
  ["b ", "x", "does not stand in it"],
])("edit_file refuses when it is not clear what is meant: %j", async (old_text, new_text, why) => {
  writeFileSync(join(at.work, "file"), "aaa b\n");
  const result = await at.call("edit_file", { path: "file", old_text, new_text });
  expect(result).toMatchObject({ status: "error", text: expect.stringContaining(why) });
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe("aaa b\n");
});

test("edit_file takes line breaks as they are where a file has both kinds", async () => {
  writeFileSync(join(at.work, "file"), "a\r\nb\nc\n");
  await at.call("edit_file", { path: "file", old_text: "b\nc", new_text: "d\ne" });
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe("a\r\nd\ne\n");
});

test("edit_file counts no longer than it must", async () => {
  writeFileSync(join(at.work, "file"), "a".repeat(5_000_000));
  const result = await at.call("edit_file", { path: "file", old_text: "a".repeat(500_000), new_text: "b" });
  expect(result).toMatchObject({ status: "error", text: expect.stringContaining("at least 100 times") });
});

test("edit_file leaves alone what is no UTF-8 text, and makes nothing that is missing", async () => {
  const latin = Buffer.from("gr\xfc\xdfe", "latin1");
  writeFileSync(join(at.work, "latin"), latin);
  expect(await at.call("edit_file", { path: "latin", old_text: "gr", new_text: "x" })).toMatchObject({
    text: "Cannot edit latin: it is no UTF-8 text.",
  });
  expect(readFileSync(join(at.work, "latin"))).toEqual(latin);
  expect(await at.call("edit_file", { path: "no/such", old_text: "a", new_text: "b" })).toMatchObject({
    status: "error",
  });
  expect(await at.call("list_files", {})).toMatchObject({ text: ".data/\nlatin (5 bytes)" });
});
