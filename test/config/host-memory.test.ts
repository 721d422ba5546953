import { expect, test } from "bun:test";
import { memoryLimit } from "../../src/config/host-memory.ts";

const host = { "/proc/meminfo": "MemTotal:       2000 kB\nMemFree: 1 kB\n" };
const limitOf = (files: Record<string, string>) =>
  memoryLimit((path) => {
    const text = files[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  });

test("memoryLimit is the smallest of what the control group and the host have", () => {
  expect(limitOf({})).toBe(Number.POSITIVE_INFINITY);
  expect(limitOf(host)).toBe(2_048_000);
  expect(limitOf({ ...host, "/sys/fs/cgroup/memory.max": "max\n" })).toBe(2_048_000);
  expect(limitOf({ ...host, "/sys/fs/cgroup/memory.max": "1000000\n" })).toBe(1_000_000);
  const unit = { "/proc/self/cgroup": "0::/system.slice/x.service\n" };
  expect(limitOf({ ...host, ...unit, "/sys/fs/cgroup/system.slice/x.service/memory.max": "5000" })).toBe(
    5000,
  );
});
