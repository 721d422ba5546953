import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let at: Workspace;
beforeEach(() => {
  at = aWorkspace();
  rmSync(at.data, { recursive: true });
});
afterEach(() => at.remove());

const put = (name: string, content: string) => {
  mkdirSync(dirname(join(at.work, name)), { recursive: true });
  writeFileSync(join(at.work, name), content);
};
const list = async (input: object) => (await at.call("list_files", input)).text;

test("list_files shows one folder with kinds and sizes, or every file below", async () => {
  put("b/c/d.txt", "12345");
  put("a.txt", "1");
  put("node_modules/x.js", "");
  symlinkSync("a.txt", join(at.work, "link"));
  expect(await list({})).toBe("a.txt (1 bytes)\nb/\nlink (link)\nnode_modules/");
  expect(await list({ recursive: true })).toBe(
    "a.txt\nb/c/d.txt\n[Folders named node_modules were left out; name one as the path to look into it.]",
  );
  expect(await list({ path: "b", recursive: true })).toBe("b/c/d.txt");
  mkdirSync(join(at.work, "empty"));
  expect(await list({ path: "empty" })).toBe("(The folder is empty.)");
  expect(await list({ path: "empty", recursive: true })).toBe("(There are no files.)");
  expect(await list({ path: "a.txt" })).toBe("Cannot use a.txt as a folder: it is a file.");
});

test("list_files bounds what it shows and says what is left out", async () => {
  for (let index = 0; index < 1003; index += 1) writeFileSync(join(at.work, `f${index}`), "");
  expect((await list({})).split("\n").at(-1)).toBe("[3 more are left out.]");
  const all = (await list({ recursive: true })).split("\n");
  expect(all).toHaveLength(1001);
  expect(all.at(-1)).toContain("more than 1000 files");
});
