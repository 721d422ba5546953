import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tools } from "../../src/tools/index.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { until } from "../helpers/until.ts";
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

async function aShell(options: ProgramWorkspaceOptions = {}) {
  const workspace = await aProgramWorkspace({ allowShell: true, ...options });
  open.push(workspace);
  return {
    ...workspace,
    sh: (command: string, more: object = {}) => workspace.call("shell", { command, ...more }),
  };
}

/** A word that nobody else has among his arguments, also where two of these run side by side: seconds to sleep. */
const unique = (seconds: number) => `${seconds}.${process.pid}`;

/** Processes of this machine with an argument. */
const running = (argument: string) =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });

describe("shell", () => {
  test("shell runs a command in the workspace and says how it ended", async () => {
    const { sh, work } = await aShell();
    writeFileSync(join(work, "a.txt"), "one\ntwo\n");
    expect(await sh("pwd; wc -l < a.txt; echo bad >&2")).toMatchObject({
      status: "ok",
      text: `${work}\n2\nbad\n[Exit code 0]`,
    });
    expect((await sh("exit 3")).text).toBe("[Exit code 3]");
    expect((await sh("kill -SEGV $$")).text).toMatch(/^\[Ended by SIGSEGV\]$|^\[Exit code 139\]$/);
    expect((await sh("no-such-program")).text).toContain("[Exit code 127]");
    expect((await sh("echo x | tee new.txt")).text).toBe("x\n[Exit code 0]");
    expect(readFileSync(join(work, "new.txt"), "utf8")).toBe("x\n");
  });

  test("shell streams both streams while the command runs", async () => {
    const { call } = await aShell();
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    const running = call(
      "shell",
      { command: "echo one; while [ ! -e go ]; do sleep 0.01; done; echo two >&2" },
      {
        emit(text) {
          heard.push(text);
          first.resolve();
        },
      },
    );
    await first.promise;
    expect(heard.join("")).toBe("one\n");
    writeFileSync(join(open[0]?.work ?? "", "go"), "");
    expect((await running).text).toBe("one\ntwo\n[Exit code 0]");
    expect(heard.join("")).toBe("one\ntwo\n");
  });

  test("shell gives its commands nothing to read and none of our environment", async () => {
    const { sh } = await aShell();
    expect((await sh("cat; env | cut -d= -f1 | sort | tr '\\n' ' '")).text).not.toMatch(
      /OPENCLAW|TOKEN|KEY|BUN/,
    );
  });

  test("shell ends the whole tree at the time that the call asks for, and says what was printed", async () => {
    const clock = movedClock(0);
    const { call } = await aShell({ after: clock.after });
    const word = unique(61);
    const begun = Promise.withResolvers<void>();
    let isOver = false;
    const command = `(setsid sleep ${word} &); echo begun; sleep ${word}`;
    const ending = call("shell", { command, timeout_seconds: 1 }, { emit: () => begun.resolve() });
    ending.finally(() => (isOver = true));
    await begun.promise;
    await until("both of its programs run", () => running(word).length === 2);
    clock.move(999);
    await Bun.sleep(50);
    expect([isOver, running(word).length]).toEqual([false, 2]);
    clock.move(1);
    const result = await ending;
    expect(result.status).toBe("timeout");
    expect(result.text).toBe(
      "shell was stopped: it took longer than 1 seconds. Ask for less at once.\nIt had printed:\nbegun",
    );
    expect(running(word)).toEqual([]);
  });

  test("shell ends the whole tree when the turn is cancelled", async () => {
    const { call } = await aShell();
    const word = unique(62);
    const turn = new AbortController();
    const cancelled = call(
      "shell",
      { command: `sleep ${word} & echo begun; wait` },
      { signal: turn.signal, emit: () => turn.abort() },
    );
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    expect(running(word)).toEqual([]);
  });

  test("shell shows the beginning and the end of a flood, and says what it left out", async () => {
    const { sh } = await aShell();
    const { text } = await sh("echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last");
    expect(text).toStartWith("first\nxxx");
    expect(text).toMatch(
      /xxx\nlast\n\[Exit code 0\]\n\[Of the output, \d{8} bytes in the middle are left out/,
    );
    expect(text.length).toBeLessThan(35_000);
  });

  test("shell describes binary output", async () => {
    const { sh } = await aShell();
    const { text } = await sh("head -c 1000 /dev/zero");
    expect(text).toMatch(/not shown.*\n\[Exit code 0\]$/);
  });

  test("shell cannot touch what is not granted", async () => {
    const { sh, outside, work } = await aShell({ writeRoots: [] });
    writeFileSync(join(outside, "secret"), "do not read");
    writeFileSync(join(work, "mine"), "mine\n");
    expect((await sh(`cat ${outside}/secret`)).text).not.toContain("do not read");
    expect((await sh("cat mine")).text).toBe("mine\n[Exit code 0]");
    await sh(`echo x > new; echo x > ${outside}/new; echo more >> mine`);
    expect([existsSync(join(work, "new")), existsSync(join(outside, "new"))]).toEqual([false, false]);
    expect(readFileSync(join(work, "mine"), "utf8")).toBe("mine\n");
  });

  test.each([
    ["without a workspace", { hasWorkspace: false }, "OPENCLAW_WORKSPACE"],
    ["without roots", { readRoots: [], writeRoots: [] }, "OPENCLAW_ALLOWED_READ_ROOTS"],
  ] as const)("shell %s says what to set", async (_, options, setting) => {
    const { sh } = await aShell(options);
    const result = await sh("true");
    expect(result).toMatchObject({ status: "denied", reason: "not_granted" });
    expect(result.text).toContain(setting);
  });

  test("shell works in a workspace inside of a granted folder", async () => {
    const { sh, base } = await aShell({ readRoots: [".."], writeRoots: [] });
    mkdirSync(join(base, "beside"));
    expect((await sh("ls -d ../beside")).text).toBe("../beside\n[Exit code 0]");
  });

  test("shell starts an allowed command without sh, and refuses others", async () => {
    const { sh, work } = await aShell({ shellCommands: ["echo", "ls -a *", "wc", "cat", "no-such-program"] });
    expect((await sh("echo '$HOME' \"a b\" \\* | cat | wc -w")).text).toBe("4\n[Exit code 0]");
    expect((await sh("ls -a .")).text).toBe(".\n..\n[Exit code 0]");
    expect((await sh("no-such-program")).text).toMatch(/\[Exit code 127\]|no-such-program/);
    for (const command of [
      "ls",
      "id",
      "echo $HOME",
      "echo x > y",
      "echo x; id",
      "echo x\nid",
      "A=1 echo",
      "/bin/echo x",
      "ls -a . | sh",
    ]) {
      const result = await sh(command);
      expect([command, result.status, result.reason]).toEqual([command, "denied", "not_granted"]);
      expect(result.text).toContain("echo, ls -a *, wc, cat");
    }
    expect(existsSync(join(work, "y"))).toBe(false);
  });

  test.each<[string, unknown]>([
    ["no command", {}],
    ["an empty one", { command: "" }],
    ["a blank one", { command: " \n" }],
    ["a number", { command: 1 }],
    ["a list", { command: ["ls"] }],
    ["an unknown argument", { command: "ls", cmd: "ls" }],
    ["a NUL", { command: "echo a\0b" }],
    ["a megabyte", { command: `: ${"x".repeat(1_000_000)}` }],
    ["no time", { command: "ls", timeout_seconds: 0 }],
    ["less than none", { command: "ls", timeout_seconds: -1 }],
    ["a time for ever", { command: "ls", timeout_seconds: 1e9 }],
    ["a time as text", { command: "ls", timeout_seconds: "5 s" }],
  ])("shell refuses %s", async (_, input) => {
    const { call } = await aShell();
    const result = await call("shell", input);
    expect(result.status).toBe("error");
    expect(result.text.length).toBeLessThan(1000);
  });

  test("shell lets no call go past the server's limit of time", async () => {
    const { sh } = await aShell({ timeoutMs: 300, timeoutMaxMs: 600 });
    expect(await sh("sleep 30")).toMatchObject({
      status: "timeout",
      text: expect.stringContaining("0.3 seconds"),
    });
    expect(await sh("sleep 30", { timeout_seconds: 3600 })).toMatchObject({
      status: "timeout",
      text: expect.stringContaining("0.6 seconds. Ask for less at once.\nIt had printed nothing."),
    });
  });

  test("shell reaches the network through the egress proxy alone, and only where that is granted", async () => {
    const get = `python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:9/')" 2>&1 | tail -1`;
    const direct = `python3 -c "import socket; socket.create_connection(('127.0.0.1', 9))" 2>&1 | tail -1`;
    const granted = await aShell({ allowProcessNetwork: true });
    const { text } = await granted.sh(get);
    expect(text).toContain("HTTP Error 403");
    expect(text).toMatch(/\[Refused by the egress rules: .*127\.0\.0\.1/);
    expect((await granted.sh(direct)).text).toMatch(/PermissionError|ConnectionRefusedError/);
    const { sh } = await aShell();
    expect((await sh(get)).text).not.toContain("HTTP Error");
    expect((await sh("env | grep -ci proxy")).text).toBe("0\n[Exit code 1]");
  });

  test("shell is absent while its flag is off", async () => {
    const { sandbox, sh } = await aShell({ allowShell: false });
    expect(sandbox.names).not.toContain("shell");
    expect(await sh("ls")).toMatchObject({ status: "denied", reason: "not_granted" });
  });

  test("shell names the pattern of what a person may allow, and none for a script", () => {
    const shell = tools.find(({ name }) => name === "shell");
    const pattern = (command: string) => shell?.pattern?.({ command });
    expect(pattern("git log | head -3")).toBe("git log | head");
    expect(pattern("git log; id")).toBeUndefined();
    expect(pattern("sh -c id")).toBeUndefined();
    expect(pattern("git log $(id)")).toBeUndefined();
    expect(shell?.effect({ command: "ls" })).toBe("reaches_out");
  });
});
