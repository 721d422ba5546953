import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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
const search = async (input: object) => (await at.call("search_files", input)).text;

test("search_files tells path, line and text, in the order of the names", async () => {
  put("b.txt", "no\nneedle here\n");
  put("a/deep/c.txt", "a needle");
  put("a/b.txt", "needle\nneedle\n");
  expect(await search({ pattern: "needle" })).toBe(
    "b.txt:2: needle here\na/b.txt:1: needle\na/b.txt:2: needle\na/deep/c.txt:1: a needle",
  );
  expect(await search({ pattern: "needle", path: "a/deep" })).toBe("a/deep/c.txt:1: a needle");
  expect(await search({ pattern: "needle", path: "b.txt" })).toBe("b.txt:2: needle here");
});

test("search_files takes a text literally unless it is to be a pattern, and cases apart unless told", async () => {
  put("a", "f(x)\nfx\nF(X)\n");
  expect(await search({ pattern: "f(x)" })).toBe("a:1: f(x)");
  expect(await search({ pattern: "^f.?x", regex: true })).toBe("a:1: f(x)\na:2: fx");
  expect(await search({ pattern: "F(x", ignore_case: true })).toBe("a:1: f(x)\na:3: F(X)");
  expect(await search({ pattern: "(a", regex: true })).toContain("a ( is not closed");
  expect(await search({ pattern: "a\nb" })).toContain("must have no line break");
});

test("search_files leaves out what is no text, .git and node_modules, and says so", async () => {
  put("a", "needle");
  put("binary", "needle\0");
  put(".git/config", "needle");
  put("sub/node_modules/x/index.js", "needle");
  expect(await search({ pattern: "needle" })).toBe(
    "a:1: needle\n[Folders named .git were left out; name one as the path to look into it.]\n" +
      "[Folders named node_modules were left out; name one as the path to look into it.]\n" +
      "[Files left out because they are no text: 1]",
  );
  expect(await search({ pattern: "needle", path: ".git" })).toBe(".git/config:1: needle");
});

test("search_files bounds what it finds and says that there is more", async () => {
  for (let index = 0; index < 30; index += 1) put(`f${index}`, "needle\n".repeat(20));
  const few = (await search({ pattern: "needle", max_results: 3 })).split("\n");
  expect(few).toHaveLength(4);
  expect(few[3]).toContain("more than 3 lines");
  expect((await search({ pattern: "needle" })).split("\n")).toHaveLength(201);
  expect(await search({ pattern: "needle", max_results: 20, path: "f1" })).not.toContain("more than");
  expect(await search({ pattern: "haystack" })).toBe("(Nothing found. Files looked at: 30)");
});

test("search_files shows the part of a long line where the match is, and forges no line", async () => {
  put("long", `${"x".repeat(5000)}needle${"y".repeat(5000)}`);
  const text = await search({ pattern: "needle" });
  expect(text).toStartWith("long:1: …xxx");
  expect(text).toContain("xneedley");
  expect(text.length).toBeLessThan(350);
  put("odd\nb:1: forged", "needle");
  expect(await search({ pattern: "needle", path: "odd\nb:1: forged" })).toBe('"odd\\nb:1: forged":1: needle');
});

test("search_files finds a text far behind in a long line, and says how far it has looked", async () => {
  const json = (before: number) => JSON.stringify({ pad: "x".repeat(before), version: "needle-7" });
  put("data.json", json(60_000));
  expect(await search({ pattern: "needle-7" })).toMatch(/^data\.json:1: …x+","version":"needle-7"}$/);
  expect(await search({ pattern: "NEEDLE", ignore_case: true })).toStartWith("data.json:1: ");
  put("huge.json", `${json(80_000)}\n${json(80_000)}\nneedle-7 ${json(80_000)}\n`);
  const text = await search({ pattern: "needle-7" });
  expect(text).toMatch(/^data\.json:1: .*\nhuge\.json:3: needle-7 .*\n/);
  expect(text).toEndWith("\n[Lines of which only the first 65536 characters were searched: 2]");
  expect(await search({ pattern: "needle-\\d", regex: true, path: "data.json" })).toBe(
    "(Nothing found. Files looked at: 1)\n[Lines of which only the first 16384 characters were searched: 1]",
  );
});

test("search_files ends when it is cancelled", async () => {
  for (let index = 0; index < 300; index += 1) put(`d${index % 10}/f${index}`, "text\n");
  const cancel = new AbortController();
  const running = at.call("search_files", { pattern: "x" }, { signal: cancel.signal });
  cancel.abort();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
});
