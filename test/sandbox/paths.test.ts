import { expect, test } from "bun:test";
import { pathInside, resolvePath, shown } from "../../src/sandbox/paths.ts";

test.each([
  ["a/b", "/work/a/b"],
  ["./a//b/", "/work/a/b"],
  ["a/../b", "/work/b"],
  ["../etc", "/etc"],
  ["/work/../etc/passwd", "/etc/passwd"],
  ["//etc", "/etc"],
  ["/../..", "/"],
  [".", "/work"],
])("resolvePath takes %s in /work for %s", (path, absolute) => {
  expect(resolvePath(path, "/work")).toBe(absolute);
});

test.each([
  ["", "empty"],
  ["a\0b", "NUL"],
  ["a/".repeat(2100), "longer than 4096 bytes"],
  [`ok/${"n".repeat(256)}`, "longer than 255 bytes"],
  [`ok/${"ü".repeat(128)}`, "longer than 255 bytes"],
])("resolvePath refuses a path that no system call would take (case %#)", (path, why) => {
  expect(() => resolvePath(path, "/work")).toThrow(why);
});

test("resolvePath takes only absolute paths without a workspace", () => {
  expect(resolvePath("/a/../b", undefined)).toBe("/b");
  expect(() => resolvePath("a", undefined)).toThrow("must be absolute");
});

test.each([
  ["/work", "/work", "."],
  ["/work", "/work/a/b", "a/b"],
  ["/work", "/workshop", undefined],
  ["/work", "/workshop/a", undefined],
  ["/work", "/Work/a", undefined],
  ["/work", "/", undefined],
  ["/", "/", "."],
  ["/", "/etc", "etc"],
])("pathInside compares folder by folder: in %s lies %s (case %#)", (folder, path, inside) => {
  expect(pathInside(folder, path)).toBe(inside);
});

test("shown leaves a plain path and quotes one that could forge a line", () => {
  expect(shown("My notes/ü 1.txt")).toBe("My notes/ü 1.txt");
  expect(shown("a\nb: forged")).toBe('"a\\nb: forged"');
  expect(shown("a\u202eb")).toBe('"a\uFFFDb"');
  expect(shown("x".repeat(5000)).length).toBeLessThan(250);
});
