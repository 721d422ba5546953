import { expect, test } from "bun:test";
import { join } from "node:path";
import { openNotifySocket, socketAddress } from "../../src/linux/notify.ts";
import { temporaryFolder } from "../helpers/executable.ts";
import { fakeServiceManager } from "../helpers/service-manager.ts";

test("openNotifySocket tells a manager at a path and at an abstract name, each value on one line", async () => {
  await using folder = await temporaryFolder();
  for (const name of [join(folder.path, "notify"), `@openclaw-test-${crypto.randomUUID()}`]) {
    using manager = fakeServiceManager(name);
    const { send } = await openNotifySocket(name);
    send({ READY: 1, STATUS: "one\nREADY=0" });
    expect(await manager.next("READY")).toEqual({ READY: "1", STATUS: "one READY=0" });
  }
});

test("openNotifySocket never throws for a manager that is not there, nor waits for one that does not read", async () => {
  await using folder = await temporaryFolder();
  const { send } = await openNotifySocket(join(folder.path, "nobody"));
  for (let count = 0; count < 10_000; count++) send({ WATCHDOG: 1 });
  using manager = fakeServiceManager(join(folder.path, "full"));
  const full = await openNotifySocket(join(folder.path, "full"));
  for (let count = 0; count < 10_000; count++) full.send({ WATCHDOG: 1 });
  expect(await manager.next("WATCHDOG")).toEqual({ WATCHDOG: "1" });
});

test("openNotifySocket has the clock of the kernel", async () => {
  const { monotonicMicroseconds } = await openNotifySocket("@x");
  const uptime = Number((await Bun.file("/proc/uptime").text()).split(" ")[0]);
  expect(Math.abs(Number(monotonicMicroseconds()) / 1e6 - uptime)).toBeLessThan(60);
});

test("socketAddress refuses what is no address of a UNIX socket", () => {
  for (const name of ["relative", "vsock:2:1234", `/${"x".repeat(107)}`])
    expect(() => socketAddress(name)).toThrow("NOTIFY_SOCKET");
});
