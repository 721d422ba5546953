import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRoot, openRoots } from "../../../src/sandbox/files/roots.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-roots-")));
const work = join(base, "work");
mkdirSync(join(work, "sub"), { recursive: true });
mkdirSync(join(base, "workshop"));
writeFileSync(join(base, "file"), "");
symlinkSync(work, join(base, "alias"));
afterAll(() => rmSync(base, { recursive: true }));

const settings = { workspace: work, readRoots: [], writeRoots: [] };

test("openRoots takes relative roots in the workspace and keeps the widest first", () => {
  const roots = openRoots({ ...settings, readRoots: ["sub", "."], writeRoots: [join(base, "workshop")] });
  expect(roots.workspace).toBe(work);
  expect(roots.read.map((root) => root.path)).toEqual([work, join(work, "sub")]);
  expect(roots.write.map((root) => root.path)).toEqual([join(base, "workshop")]);
  roots.close();
});

test("openRoots grants nothing when no root is set", () => {
  const roots = openRoots(settings);
  expect([roots.read, roots.write]).toEqual([[], []]);
  roots.close();
});

test.each([
  [{ ...settings, workspace: join(base, "missing") }, "OPENCLAW_WORKSPACE", "there is no such folder"],
  [{ ...settings, readRoots: [join(base, "file")] }, "OPENCLAW_ALLOWED_READ_ROOTS", "it is no folder"],
  [{ ...settings, writeRoots: ["missing"] }, "OPENCLAW_ALLOWED_WRITE_ROOTS", "there is no such folder"],
  [
    { workspace: undefined, readRoots: ["."], writeRoots: [] },
    "OPENCLAW_ALLOWED_READ_ROOTS",
    "set OPENCLAW_WORKSPACE",
  ],
])("openRoots names the setting at fault (case %#)", (wrong, setting, why) => {
  expect(() => openRoots(wrong)).toThrow(setting);
  expect(() => openRoots(wrong)).toThrow(why);
});

test("findRoot understands the real path and the one in the settings, and no look-alike", () => {
  const roots = openRoots({ ...settings, workspace: join(base, "alias"), readRoots: ["."] });
  expect(findRoot(roots.read, join(base, "alias/a"))?.inside).toBe("a");
  expect(findRoot(roots.read, join(work, "a"))?.inside).toBe("a");
  expect(findRoot(roots.read, join(base, "workshop"))).toBeUndefined();
  roots.close();
});
