import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parseShellWords } from "../../../src/sandbox/code/shell-words.ts";
import { runs } from "../../helpers/long.ts";

// Hundreds of shells are started.
setDefaultTimeout(60_000);

const stagesOf = (command: string) => {
  const words = parseShellWords(command);
  return words.ok ? words.stages : words.why;
};

describe("parseShellWords", () => {
  test.each<[string, string[][]]>([
    ["ls", [["ls"]]],
    ["  ls\t-l  ", [["ls", "-l"]]],
    [
      "git log --format='%h %s' | head -n 3|wc",
      [["git", "log", "--format=%h %s"], ["head", "-n", "3"], ["wc"]],
    ],
    [String.raw`echo "a \"b\" \\ \n"`, [["echo", String.raw`a "b" \ \n`]]],
    [String.raw`echo a\ b \'c\' ''"" x'y'"z"`, [["echo", "a b", "'c'", "", "xyz"]]],
    ["echo 'a | b; $(c) `d` > e'", [["echo", "a | b; $(c) `d` > e"]]],
    ["git show HEAD~1 HEAD^ a@b.c x=y", [["git", "show", "HEAD~1", "HEAD^", "a@b.c", "x=y"]]],
    ["git commit -m 'one\n\ntwo'", [["git", "commit", "-m", "one\n\ntwo"]]],
    ["'if' x", [["if", "x"]]],
    ["echo if then \\! 'ümlaut 😀'", [["echo", "if", "then", "!", "ümlaut 😀"]]],
  ])("parseShellWords reads %j", (command, stages) => {
    expect(stagesOf(command)).toEqual(stages);
  });

  test.each([
    ...[
      "",
      " ",
      "|",
      "ls |",
      "| ls",
      "ls || true",
      "ls | | wc",
      "ls; id",
      "ls & id",
      "ls && id",
      "ls\nid",
      "ls |& wc",
    ],
    ...[
      "echo $HOME",
      "echo ${x}",
      "echo $(id)",
      "echo `id`",
      'echo "$HOME"',
      'echo "`id`"',
      "echo $'x'",
      "echo $((1))",
    ],
    ...[
      "ls *",
      "ls ?",
      "ls [a]",
      "ls ~",
      "ls ~root",
      "echo a=~ x",
      "echo a:~",
      "echo {a,b}",
      "{ ls; }",
      "(ls)",
      "ls )",
    ],
    ...["ls > x", "ls 2>&1", "ls < x", "ls << x", "ls #x", "#", "! ls", "echo !!", "cat <(ls)"],
    ...[
      "A=1 ls",
      "A=1",
      "a+=1",
      'A="1" ls',
      "PATH=. ls",
      "if true",
      "while x",
      "time ls",
      "function f",
      "[[ a ]]",
      "coproc x",
      "%1",
    ],
    ...[
      "echo 'a",
      'echo "a',
      "echo a\\",
      "echo a\\\nb",
      'echo "a\\\nb"',
      "'' x",
      '""',
      "echo \0",
      "echo \x07",
      "ls\r",
      "echo \x7f",
    ],
    "echo \ud800",
    "a | ".repeat(20) + "a",
  ])("parseShellWords refuses %j and says why", (command) => {
    const words = parseShellWords(command);
    expect(words.ok).toBe(false);
    expect(words.ok ? "" : words.why).toMatch(/^.{8,}[^.]$/s);
  });

  test("parseShellWords reads a long command in no time", () => {
    expect(stagesOf(`echo ${"a ".repeat(50_000)}`)).toHaveLength(1);
    expect(stagesOf(`echo '${"a".repeat(100_000)}'`)).toHaveLength(1);
    expect(stagesOf(`echo ${'"'.repeat(99_999)}`)).toBeString();
  });
});

/** What a shell takes a command for: the words of each call of `show`, in no order, and what it did not find. */
describe("a command that parseShellWords accepts means the same words to", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "openclaw-words-"));
    await writeFile(join(folder, "bait"), "");
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** One process for many commands: each is a script of its own that says its words to a file of its own. */
  async function heard(shell: readonly string[], commands: readonly string[]): Promise<string[][][]> {
    const out = await mkdtemp(join(folder, "heard-"));
    const show = (at: number) => `show() { printf '%s\\0' "$#" "$@" > "${out}/${at}.$1"; }\n`;
    for (const [at, command] of commands.entries())
      await writeFile(join(out, `${at}.sh`), show(at) + command);
    const each = commands.map((_, at) => `${shell.join(" ")} ${out}/${at}.sh </dev/null`).join("\n");
    const process = Bun.spawn(["sh", "-c", each], {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: 50_000,
    });
    await process.exited;
    return Promise.all(
      commands.map(async (_, at) => {
        const files = (await Array.fromAsync(new Bun.Glob(`${at}.[0-9]*`).scan(out))).sort();
        return Promise.all(
          files.map(async (name) => (await readFile(join(out, name), "utf8")).split("\0").slice(1, -1)),
        );
      }),
    );
  }

  const piece = fc.oneof(
    fc.constantFrom(..."ab'\"\\ \t|~=:^%@,.+-/_0".split("")),
    fc.constantFrom(" ", " ", "'", '"', "\\"),
    fc.constantFrom(
      "$",
      "`",
      "*",
      "?",
      "[",
      "]",
      "{",
      "}",
      "(",
      ")",
      ";",
      "&",
      "<",
      ">",
      "#",
      "!",
      "\n",
      "é",
      "😀",
      "\u0081",
    ),
    fc.constantFrom(
      " bait",
      "''",
      '""',
      "a b",
      "\\'",
      "{a,b}",
      "[[",
      "~root",
      "x=~",
      "HEAD~1",
      "*",
      "$HOME",
      "\u00a0",
      "\u2028",
    ),
  );
  const tail = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(""));
  /** Each stage begins with its number, so that the shell's words can be told apart. */
  const command = fc
    .array(tail, { minLength: 1, maxLength: 3 })
    .map((tails) => tails.map((words, at) => `show ${at} ${words}`).join(" | "));
  const seed = 20_261_123;
  const samples = () =>
    fc.sample(command, { numRuns: runs(4000, 100_000), seed }).filter((text) => {
      const words = parseShellWords(text);
      // A | among the words begins a stage of something else, which the test of names looks at.
      return (
        words.ok && words.stages.every(([program, number]) => program === "show" && /^\d$/.test(number ?? ""))
      );
    });

  test("sh, where the first word names a program", async () => {
    const commands = fc
      .sample(tail, { numRuns: runs(3000, 50_000), seed })
      .filter((text) => /^[^/]*$/.test(text) && stagesOf(text).length === 1);
    const names = [...new Set(commands)].flatMap((text) => {
      const words = parseShellWords(text);
      const name = words.ok && words.stages.length === 1 ? words.stages[0]?.[0] : undefined;
      // These are part of the shell.
      return name === undefined || [".", ":", "["].includes(name) ? [] : [{ text, name }];
    });
    const some = names.slice(0, runs(300, 10_000));
    expect(some.length).toBeGreaterThan(100);
    for (const [at, { text }] of some.entries()) await writeFile(join(folder, `${at}.sh`), text);
    const each = some.map((_, at) => `/bin/sh ${at}.sh </dev/null 2> ${at}.said`).join("\n");
    await Bun.spawn(["/bin/sh", "-c", each], { cwd: folder, env: { PATH: "/nonexistent" } }).exited;
    for (const [at, { text, name }] of some.entries()) {
      const said = await readFile(join(folder, `${at}.said`), "utf8");
      expect([text, said.replace(/^\d+\.sh: \d+: /, "")]).toEqual([text, `${name}: not found\n`]);
    }
  });

  test.each([["sh"], ["dash"], ["bash --posix"], ["bash"]])("%s", async (shell) => {
    const commands = [...new Set(samples())].slice(0, runs(300, 10_000));
    expect(commands.length).toBeGreaterThan(100);
    const words = await heard(shell.split(" "), commands);
    for (const [at, text] of commands.entries()) {
      const stages = stagesOf(text);
      const expected = Array.isArray(stages) ? stages.map((stage) => stage.slice(1)) : stages;
      expect([text, words[at]]).toEqual([text, expected as string[][]]);
    }
  });
});
