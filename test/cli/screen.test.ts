import { expect, test } from "bun:test";
import { harmless } from "../../src/cli/screen.ts";

test("harmless takes out what would steer a terminal, and nothing else", () => {
  expect(harmless("a\u001b[2Jb\u0007c\u009b1md\r\u202ee")).toBe("a[2Jbc1mde");
  expect(harmless("tab\tand\nline, ü, 漢字, 🦞")).toBe("tab\tand\nline, ü, 漢字, 🦞");
});
