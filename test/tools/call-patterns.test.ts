import { expect, test } from "bun:test";
import { callPattern } from "../../src/sandbox/call-pattern.ts";
import { tools } from "../../src/tools/index.ts";

/** The pattern of a call as it is kept; exact ones begin with a brace. */
function patternOf(name: string, input: Record<string, unknown>) {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`There is no tool ${name}.`);
  return callPattern(tool, input);
}

test.each<[string, Record<string, unknown>, string]>([
  ["write_file", { path: "src/a.ts", content: "1" }, '"src/a.ts"'],
  ["edit_file", { path: "src/a.ts", old_text: "1", new_text: "2" }, '"src/a.ts"'],
  ["shell", { command: "git status" }, '"git status"'],
  ["shell", { command: "ls -la 'my folder' | head -3" }, '"ls | head"'],
  ["git", { subcommand: "add", args: ["src"] }, '"add"'],
  ["git", { subcommand: "add", args: ["."], cwd: "sub" }, '"add in sub"'],
  ["email", { to: "b@x.org, a@x.org", subject: "s", body: "b" }, '"to a@x.org, b@x.org"'],
])("a call of %s with %p is remembered as %s", (name, input, pattern) => {
  expect(patternOf(name, input)).toBe(pattern);
});

test.each<[string, Record<string, unknown>]>([
  ["shell", { command: "sh -c 'git status'" }],
  ["shell", { command: "bash -c ls" }],
  ["shell", { command: "env ls" }],
  ["shell", { command: "sudo ls" }],
  ["shell", { command: "find . | xargs ls" }],
  ["shell", { command: "python3 -c 'import os'" }],
  ["shell", { command: "git status; rm -rf ." }],
  ["shell", { command: "git status && rm -rf ." }],
  ["shell", { command: "git status $(rm -rf .)" }],
  ["shell", { command: "git status\nrm -rf ." }],
  ["shell", { command: "ls > made" }],
  ["shell", { command: "PATH=. ls" }],
  ["shell", { command: "rm -rf build" }],
  ["code_exec", { language: "bash", code: "ls" }],
  ["git", { subcommand: "push", args: ["origin"] }],
  ["git", { subcommand: "clone", args: ["https://example.org/a"] }],
  ["git", { subcommand: "checkout", args: ["."] }],
  ["git", { subcommand: "add", args: ["--force", "x"] }],
  ["apply_patch", { patch: "--- a\n+++ a\n" }],
])("a call of %s with %p is remembered with exactly its arguments", (name, input) => {
  expect(patternOf(name, input)).toStartWith("{");
});

test("a call of browser is never remembered: the page may be another one by then", () => {
  expect(patternOf("browser", { action: "click", selector: "e12" })).toBeUndefined();
});
