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

test("edit_file ends new lines as all others of the file end", async () => {
  writeFileSync(join(at.work, "file"), "a\r\nb\r\n");
  await at.call("edit_file", { path: "file", old_text: "a", new_text: "1\n2\r\n3" });
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe("1\r\n2\r\n3\r\nb\r\n");
});

test.each([
  ["b\nc", "d\ne", "a\r\nd\ne\nx\r\n\r\ny\n"],
  ["a\nb", "A\nB", "A\r\nB\nc\nx\r\n\r\ny\n"],
  ["a\nb\n", "A\n", "A\r\nc\nx\r\n\r\ny\n"],
  ["\nb", "1\n2\nb", "a1\r\n2\r\nb\nc\nx\r\n\r\ny\n"],
  ["x\n\ny", "y\r\nz", "a\r\nb\nc\ny\r\nz\n"],
  ["x", "x\nx", "a\r\nb\nc\nx\nx\r\n\r\ny\n"],
  ["x\r\n", "", "a\r\nb\nc\n\r\ny\n"],
])("edit_file keeps line ends where a file has both kinds: %j", async (old_text, new_text, fresh) => {
  writeFileSync(join(at.work, "file"), "a\r\nb\nc\nx\r\n\r\ny\n");
  expect((await at.call("edit_file", { path: "file", old_text, new_text })).status).toBe("ok");
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe(fresh);
});

test.each([
  ["a section named system", "[system]\nport = 80\n", "［system]\nport = 80"],
  ["a tag of one letter", "<p><s>9.99</s></p>\r\nat 80\r\n", "<p>‹s>9.99‹/s></p>\nat 80"],
  ["a template of a chat", "[INST] {q} [/INST] <|im_end|> 80", "［INST] {q} ［/INST] ‹|im_end|> 80"],
  ["an unseen sign", "zero\u200bwidth 80\n", "zero⟨200b⟩width 80"],
  ["the other sign itself", "‹s> and ［system] and ⟨200b⟩ 80\n", "‹s> and ［system] and ⟨200b⟩ 80"],
  ["both of them", "‹s>10‹/s>\n<s>80</s>\n", "‹s>80‹/s>"],
])("edit_file finds a text as read_file shows it, and writes as it was: %s", async (_name, file, shown) => {
  writeFileSync(join(at.work, "file"), file);
  expect((await at.call("read_file", { path: "file" })).text).toContain(shown);
  const edit = { path: "file", old_text: shown, new_text: `${shown}; ${shown.replace("80", "81")}` };
  expect((await at.call("edit_file", edit)).status).toBe("ok");
  const was = file.trimEnd().replace("‹s>10‹/s>\n", "");
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe(
    file.replace(was, `${was}; ${was.replace("80", "81")}`),
  );
});

test("edit_file writes what is shown of other places of the file as it stands there", async () => {
  writeFileSync(join(at.work, "file"), "[system]\na\u200bb\n// ⟨200d⟩\n");
  const edit = { path: "file", old_text: "// ", new_text: "［system] a⟨200b⟩b ⟨200d⟩ ⟨200c⟩ ‹ ［x]\n// " };
  expect((await at.call("edit_file", edit)).status).toBe("ok");
  expect(readFileSync(join(at.work, "file"), "utf8")).toBe(
    "[system]\na\u200bb\n[system] a\u200bb ⟨200d⟩ ⟨200c⟩ ‹ ［x]\n// ⟨200d⟩\n",
  );
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
