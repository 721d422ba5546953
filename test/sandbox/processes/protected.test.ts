import { expect, test } from "bun:test";
import { ownThreads } from "../../../src/linux/marked.ts";
import type { LaunchPolicy } from "../../../src/sandbox/processes/launch-policy.ts";
import { runProgram } from "../../../src/sandbox/processes/run-program.ts";
import { startOf } from "../../../src/sandbox/processes/start-program.ts";
import { devices, systemPaths } from "../../../src/sandbox/processes/system-folders.ts";

const unlimited = { memoryBytes: Number.POSITIVE_INFINITY, processes: Number.POSITIVE_INFINITY };

/** Runs perl in the sandbox as Landlock 5 has it, which does not look at signals. */
async function perl(script: string, protect: readonly number[]) {
  const policy: LaunchPolicy = {
    confined: true,
    landlock: 5,
    read: [],
    write: [],
    system: systemPaths([], false),
    devices,
    port: null,
    local: false,
    user: null,
    protect,
    mark: (Date.now() % 2 ** 31) * 2 ** 16 + protect.length,
    cpuSeconds: 10,
    fileBytes: 1_000_000,
    processes: 10_000,
    openFiles: 256,
    lastDescriptor: 2,
    groups: [],
    groupsOpened: false,
    cwd: "/",
    environment: { PATH: "/usr/bin:/bin" },
  };
  const { output } = await runProgram({
    starts: [startOf(["perl", "-e", script], policy, undefined)],
    mark: policy.mark,
    namespaces: false,
    owned: new Set(),
    signal: AbortSignal.timeout(10_000),
    limits: unlimited,
    maxOutputBytes: 10_000,
  });
  return output.trim();
}

test("ownThreads, protected, cannot be signalled by a program where Landlock does not forbid it", async () => {
  const threads = ownThreads();
  expect(threads[0]).toBe(process.pid);
  expect(threads.filter((id) => id > 0).length).toBeGreaterThan(1);
  // Signal 0 only asks whether it may.
  const asks = `print join " ", map { kill(0, $_) ? "yes" : "no" } (${threads.join(", ")})`;
  const open = (await perl(asks, [])).split(" ");
  // A thread that had nothing to do may have ended meanwhile.
  const still = new Set(ownThreads());
  const living = open.filter((_, index) => still.has(threads[index] ?? 0));
  expect(living.length).toBeGreaterThan(2);
  expect(new Set(living)).toEqual(new Set(["yes"]));
  const refused = (await perl(asks, threads)).split(" ");
  expect(refused).toEqual(threads.map(() => "no"));
});

test("forbiddenCalls keeps a program from having the kernel signal this process", async () => {
  const tries = [
    `fcntl($r, 8, ${process.pid})`,
    "fcntl($r, 10, 9)",
    `ioctl($r, 0x8901, my $pid = pack("i", ${process.pid}))`,
  ];
  const said = [...tries, "fcntl($r, 3, 0)"].map((each) => `print defined(${each}) ? "yes " : "no ";`);
  const script = `pipe(my $r, my $w); ${said.join(" ")}`;
  expect(await perl(script, ownThreads())).toBe("no no no yes");
});
