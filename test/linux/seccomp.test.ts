import { describe, expect, test } from "bun:test";
import type { FilterOptions } from "../../src/linux/forbidden-calls.ts";
import { filterProgram } from "../../src/linux/seccomp.ts";
import { type Architecture, callNumber, type CallName } from "../../src/linux/system-calls.ts";

const plain: FilterOptions = { tcp: false, local: false, landlock: 7, protect: [] };
const audit = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
const [allowed, killed, refused, absent] = [0x7fff_0000, 0x8000_0000, 0x0005_0001, 0x0005_0026];

/** Runs the filter as the kernel would: its answer for a call. */
function answer(
  options: FilterOptions,
  architecture: Architecture,
  number: number,
  args: readonly number[] = [],
  audited: number = audit[architecture],
) {
  const words = new Map<number, number>([
    [0, number],
    [4, audited],
    ...args.flatMap((value, index): [number, number][] => [
      [16 + 8 * index, value >>> 0],
      [20 + 8 * index, Math.floor(value / 2 ** 32) >>> 0],
    ]),
  ]);
  const program = filterProgram(options, architecture);
  let value = 0;
  for (let at = 0; at < program.length; at += 1) {
    const [code, whenTrue, whenFalse, operand] = program[at] ?? [0, 0, 0, 0];
    const jump = (holds: boolean) => (at += holds ? whenTrue : whenFalse);
    if (code === 0x20) value = words.get(operand) ?? 0;
    else if (code === 0x54) value = (value & operand) >>> 0;
    else if (code === 0x15) jump(value === operand);
    else if (code === 0x35) jump(value >= operand);
    else if (code === 0x45) jump((value & operand) !== 0);
    else if (code === 0x06) return operand;
    else throw new Error(`There is no instruction ${code}.`);
  }
  throw new Error("The filter ends without an answer.");
}

const ask = (
  architecture: Architecture,
  call: CallName,
  args: readonly number[],
  options: Partial<FilterOptions> = {},
) => answer({ ...plain, ...options }, architecture, callNumber(call, architecture) ?? -1, args);

describe.each(["x64", "arm64"] as const)("filterProgram for %s", (architecture) => {
  test("fits into what the kernel takes, and never jumps too far", () => {
    const protect = Array.from({ length: 1000 }, (_, index) => 4711 + index);
    const program = filterProgram({ tcp: true, local: true, landlock: 1, protect }, architecture);
    expect(program.length).toBeLessThan(4096);
    expect(program.every(([, whenTrue, whenFalse]) => whenTrue < 256 && whenFalse < 256)).toBe(true);
  });

  test("ends who calls by the numbers of another architecture, and knows no number that is newer than it", () => {
    const other = architecture === "x64" ? audit.arm64 : audit.x64;
    expect(answer(plain, architecture, 0, [], other)).toBe(killed);
    expect(answer(plain, architecture, 0, [], 0x4000_0003)).toBe(killed);
    expect(answer(plain, architecture, 500)).toBe(absent);
    if (architecture === "x64") expect(answer(plain, architecture, 0x4000_0000 | 1)).toBe(killed);
    expect(answer(plain, architecture, callNumber("execve", architecture) ?? 0)).toBe(allowed);
  });

  test("refuses what acts on the kernel and on others", () => {
    const calls = [
      "ptrace",
      "mount",
      "bpf",
      "keyctl",
      "userfaultfd",
      "unshare",
      "io_uring_setup",
      "perf_event_open",
    ] as const;
    for (const call of calls) expect([call, ask(architecture, call, [])]).toEqual([call, refused]);
    expect(ask(architecture, "clone3", [])).toBe(absent);
    expect(ask(architecture, "clone", [0x1000_0000])).toBe(refused);
    expect(ask(architecture, "clone", [0x0100_0000 | 0x11])).toBe(allowed);
  });

  test("lets sockets be made as far as they are granted", () => {
    const [unix, inet, inet6, netlink] = [1, 2, 10, 16];
    const [stream, datagram, nonBlocking] = [1, 2, 0o4000];
    expect(ask(architecture, "socket", [inet, stream, 0])).toBe(refused);
    expect(ask(architecture, "socket", [unix, stream, 0])).toBe(refused);
    expect(ask(architecture, "socketpair", [unix, stream, 0])).toBe(allowed);
    expect(ask(architecture, "socketpair", [inet, stream, 0])).toBe(refused);
    const tcp = { tcp: true };
    for (const family of [inet, inet6]) {
      expect(ask(architecture, "socket", [family, stream | nonBlocking, 6], tcp)).toBe(allowed);
      expect(ask(architecture, "socket", [family, stream, 262], tcp)).toBe(refused);
      expect(ask(architecture, "socket", [family, datagram, 0], tcp)).toBe(refused);
      expect(ask(architecture, "socket", [family, 3, 0], tcp)).toBe(refused);
    }
    for (const family of [unix, netlink, 40])
      expect(ask(architecture, "socket", [family, stream, 0], tcp)).toBe(refused);
    expect(ask(architecture, "socket", [unix, stream, 0], { local: true })).toBe(allowed);
    expect(ask(architecture, "sendto", [3, 0, 0, 0x2000_0000], tcp)).toBe(refused);
    expect(ask(architecture, "sendto", [3, 0, 0, 0x4000], tcp)).toBe(allowed);
  });

  test("keeps the mark, the limits of others and the server from being changed", () => {
    expect(ask(architecture, "prlimit64", [0, 15, 2 ** 32 * 5])).toBe(refused);
    expect(ask(architecture, "prlimit64", [0, 15, 0])).toBe(allowed);
    expect(ask(architecture, "prlimit64", [0, 7, 4096])).toBe(allowed);
    expect(ask(architecture, "prlimit64", [4711, 7, 4096])).toBe(refused);
    expect(ask(architecture, "setrlimit", [15, 4096])).toBe(refused);
  });

  test("keeps all threads of the server and its group from signals, and programs from having them sent", () => {
    const protect = { protect: [4711, -4700, 4712, 4713] };
    const signals = [
      "kill",
      "tkill",
      "tgkill",
      "rt_sigqueueinfo",
      "rt_tgsigqueueinfo",
      "pidfd_open",
    ] as const;
    const changes = ["sched_setaffinity", "sched_setscheduler", "sched_setattr", "sched_setparam"] as const;
    for (const call of [...signals, ...changes]) {
      for (const id of [4711, 4712, 4713, 2 ** 32 + 4712])
        expect([call, id, ask(architecture, call, [id, 9], protect)]).toEqual([call, id, refused]);
      expect([call, ask(architecture, call, [4714, 9], protect)]).toEqual([call, allowed]);
    }
    for (const call of ["setpriority", "ioprio_set"] as const)
      expect([4712, 4714].map((id) => ask(architecture, call, [0, id], protect))).toEqual([refused, allowed]);
    const groups = [4700, 1, 4711].map((id) => ask(architecture, "kill", [2 ** 32 - id, 9], protect));
    expect(groups).toEqual([refused, refused, allowed]);
    expect(ask(architecture, "kill", [4700, 9], protect)).toBe(allowed);
    expect(ask(architecture, "kill", [2 ** 32 - 1, 9])).toBe(allowed);
    for (const options of [protect, {}]) {
      const asked = (call: CallName, commands: readonly number[]) =>
        commands.map((command) => ask(architecture, call, [3, command, 4711], options));
      expect(asked("fcntl", [8, 10, 15, 2 ** 32 + 8])).toEqual(Array(4).fill(refused));
      expect(asked("fcntl", [1, 2, 3, 4, 9, 1030])).toEqual(Array(6).fill(allowed));
      expect(asked("ioctl", [0x8901, 0x8902, 0x5412, 0x541c])).toEqual(Array(4).fill(refused));
      expect(asked("ioctl", [0x5401, 0x8903])).toEqual([allowed, allowed]);
    }
  });

  test("lets no file be made that runs as its owner, and none be cut that Landlock does not watch", () => {
    expect(ask(architecture, "fchmod", [3, 0o4755])).toBe(refused);
    expect(ask(architecture, "fchmod", [3, 0o755])).toBe(allowed);
    expect(ask(architecture, "openat", [0, 0, 0o101, 0o6755])).toBe(refused);
    expect(ask(architecture, "openat", [0, 0, 0o1000, 0], { landlock: 2 })).toBe(refused);
    expect(ask(architecture, "openat", [0, 0, 0o1001, 0], { landlock: 2 })).toBe(allowed);
    expect(ask(architecture, "truncate", [0, 0], { landlock: 2 })).toBe(refused);
    expect(ask(architecture, "truncate", [0, 0])).toBe(allowed);
  });
});
