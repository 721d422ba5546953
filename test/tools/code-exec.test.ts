import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { movedClock } from "../helpers/moved-clock.ts";
import {
  aProgramWorkspace,
  type ProgramWorkspace,
  type ProgramWorkspaceOptions,
} from "./program-workspace.ts";

let open: ProgramWorkspace[] = [];
afterEach(async () => {
  for (const workspace of open) await workspace.remove();
  open = [];
});

const all = ["javascript", "python", "bash", "node"];

async function aCodeRunner(options: ProgramWorkspaceOptions = {}) {
  const workspace = await aProgramWorkspace({ allowCode: all, ...options });
  open.push(workspace);
  return {
    ...workspace,
    code: (language: string, code: string, more: object = {}) =>
      workspace.call("code_exec", { language, code, ...more }),
  };
}

describe("code_exec", () => {
  test("code_exec runs javascript and shows its value and what it printed", async () => {
    const { call } = await aCodeRunner({ allowCode: ["javascript"], hasWorkspace: false });
    const heard: string[] = [];
    const code = "console.log('sum'); [1, 2].map((n) => n * 2)";
    const result = await call(
      "code_exec",
      { language: "javascript", code },
      { emit: (text) => heard.push(text) },
    );
    expect(result).toMatchObject({ status: "ok", text: "sum\n=> [ 2, 4 ]" });
    expect(heard).toEqual(["sum\n"]);
    expect((await call("code_exec", { language: "javascript", code: "throw new Error('no')" })).text).toMatch(
      /^Error: no\n.*\n\[Exit code 1\]$/s,
    );
    expect(
      (await call("code_exec", { language: "javascript", code: "const a = []; for (;;) a.push({})" })).text,
    ).toBe("[Ended: it took more memory than is allowed]");
  });

  test.each([
    [
      "python",
      "import sys\nprint(1 + 1)\nprint('bad', file=sys.stderr)\nprint(open('a.txt').read(), end='')\nsys.exit(3)",
    ],
    ["bash", "echo $((1 + 1))\necho bad >&2\ncat a.txt\nexit 3"],
    [
      "node",
      "console.log(1 + 1); console.error('bad'); console.log(require('fs').readFileSync('a.txt', 'utf8').trim()); process.exit(3)",
    ],
  ])("code_exec runs %s in the workspace", async (language, code) => {
    const { code: run, work } = await aCodeRunner();
    writeFileSync(join(work, "a.txt"), "text\n");
    const { status, text } = await run(language, code);
    // The two streams come by two pipes.
    expect([status, ...text.split("\n").sort()]).toEqual(["ok", "2", "[Exit code 3]", "bad", "text"]);
  });

  test("code_exec gives the code of bash to bash, and not to what it runs", async () => {
    const { code } = await aCodeRunner();
    expect((await code("bash", "cat\nread -r line || echo nothing\necho last")).text).toBe(
      "nothing\nlast\n[Exit code 0]",
    );
    expect(
      (await code("bash", "cat <<'END'\n$HOME 'quoted'\nEND\nfor i in 1 2; do\necho $i\ndone")).text,
    ).toBe("$HOME 'quoted'\n1\n2\n[Exit code 0]");
    expect((await code("bash", "if")).text).toMatch(/syntax error.*\[Exit code [12]\]$/s);
    expect((await code("bash", `: '${"x".repeat(500_000)}'; echo done`)).text).toBe("done\n[Exit code 0]");
  });

  test("code_exec refuses a language that is not granted or not there, naming the others", async () => {
    const { code } = await aCodeRunner({ allowCode: ["javascript", "bash"], hasWorkspace: false });
    for (const language of [
      "python",
      "JavaScript",
      "ruby",
      "",
      "__proto__",
      "javascript; id",
      "x".repeat(100_000),
    ]) {
      const { status, text } = await code(language, "1");
      expect(["denied", "error"]).toContain(status);
      expect(text.length).toBeLessThan(500);
      if (language !== "") expect(text).toContain("javascript, bash");
    }
    expect(await code("bash", "id")).toMatchObject({
      status: "denied",
      text: expect.stringContaining("OPENCLAW_WORKSPACE"),
    });
  });

  test("code_exec ends each language at its time, and when the turn is cancelled", async () => {
    const clock = movedClock(0);
    const { call } = await aCodeRunner({ after: clock.after });
    const endless = {
      javascript: "console.log('begun'); for (;;);",
      python: "print('begun')\nwhile True: pass",
      bash: "echo begun; while :; do :; done",
      node: "console.log('begun'); for (;;);",
    };
    const begin = async ([language, code]: [string, string]) => {
      const begun = Promise.withResolvers<void>();
      const ending = call(
        "code_exec",
        { language, code, timeout_seconds: 5 },
        { emit: () => begun.resolve() },
      );
      // One that ends too soon is seen below.
      await Promise.race([begun.promise, ending]);
      return { ending };
    };
    const calls = await Promise.all(Object.entries(endless).map(begin));
    clock.move(5000);
    for (const { ending } of calls)
      expect(await ending).toMatchObject({
        status: "timeout",
        text: expect.stringMatching(
          /^code_exec was stopped: it took longer than 5 seconds\..*\nIt had printed:\nbegun$/,
        ),
      });
    const cancel = async ([language, code]: [string, string]) => {
      const turn = new AbortController();
      const context = { signal: turn.signal, emit: () => turn.abort() };
      const cancelled = call("code_exec", { language, code }, context);
      await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    };
    await Promise.all(Object.entries(endless).map(cancel));
  });

  test.each<[string, unknown]>([
    ["no code", { language: "javascript" }],
    ["no language", { code: "1" }],
    ["empty code", { language: "javascript", code: "" }],
    ["a number", { language: "javascript", code: 1 }],
    ["more than a megabyte", { language: "javascript", code: `/*${"x".repeat(1_100_000)}*/1` }],
    ["an unknown argument", { language: "javascript", code: "1", cwd: "/" }],
    ["no time", { language: "javascript", code: "1", timeout_seconds: 0 }],
    ["less than none", { language: "javascript", code: "1", timeout_seconds: -1 }],
    ["a time for ever", { language: "javascript", code: "1", timeout_seconds: 1e9 }],
    ["a time as text", { language: "javascript", code: "1", timeout_seconds: "soon" }],
  ])("code_exec refuses %s", async (_, input) => {
    const { call } = await aCodeRunner({ allowCode: ["javascript"] });
    const result = await call("code_exec", input);
    expect(result.status).toBe("error");
    expect(result.text.length).toBeLessThan(1000);
  });

  test("code_exec only reads in javascript, and is absent without a language", async () => {
    const { sandbox } = await aCodeRunner();
    const effect = (language: string) => {
      const prepared = sandbox.prepare("code_exec", JSON.stringify({ language, code: "1" }));
      return prepared.ok && prepared.effect;
    };
    expect(all.map(effect)).toEqual(["reads", "reaches_out", "reaches_out", "reaches_out"]);
    expect(effect("anything")).toBe("reaches_out");
    expect((await aCodeRunner({ allowCode: [] })).sandbox.names).not.toContain("code_exec");
  });
});
