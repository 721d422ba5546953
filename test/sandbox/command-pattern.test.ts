import { expect, test } from "bun:test";
import { commandPattern } from "../../src/sandbox/command-pattern.ts";

const of = (command: string) => commandPattern(command.split(" | ").map((stage) => stage.split(" ")));

test.each([
  ["git status", "git status"],
  ["git log main", "git log"],
  ["git log main | head -5 | wc -l", "git log | head | wc"],
  ["ls -la src", "ls"],
  ["npm run build", "npm run build"],
  ["npm test", "npm test"],
  ["cargo test parser", "cargo test"],
])("commandPattern of %s is %s", (command, pattern) => {
  expect(of(command)).toBe(pattern);
});

test.each([
  "sh -c ls",
  "bash script.sh",
  "env ls",
  "sudo ls",
  "xargs ls",
  "nice ls",
  "timeout 5 ls",
  "nohup ls",
  "python -c x",
  "node x.js",
  "perl -e x",
  "find . -exec ls",
  "awk x",
  "sed -i x",
  "tee x",
  "sort -o x",
  "uniq a b",
  "rm a",
  "cp a b",
  "/bin/ls",
  "./ls",
  "git",
  "git push origin",
  "git checkout .",
  "git reset HEAD",
  "git -c alias.x=!sh status",
  "git diff --output=x",
  "git log --exec x",
  "npm",
  "npm run",
  "npm run *",
  "npm run a b --prefix x",
  "npm exec x",
  "npm install x",
  "npx x",
  "bun x y",
  "go run x",
  "go test -exec x",
  "make x",
  "docker run x",
  "ls | xargs rm",
  "git log | sh",
  "constructor x",
  "__proto__ x",
  "",
])("commandPattern says nothing of %s: it is remembered word for word alone", (command) => {
  expect(of(command)).toBeUndefined();
});

test("commandPattern says nothing of nothing", () => {
  expect(commandPattern([])).toBeUndefined();
  expect(commandPattern([[]])).toBeUndefined();
});
