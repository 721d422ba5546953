import { expect, test } from "bun:test";
import { join } from "node:path";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { fakeServiceManager } from "../helpers/service-manager.ts";

test("openclaw tells systemd of its whole life, and gives signs of life while its store is well", async () => {
  await using folder = await temporaryFolder();
  const NOTIFY_SOCKET = join(folder.path, "notify");
  using manager = fakeServiceManager(NOTIFY_SOCKET);
  // Ten signs of life that nobody takes in time fill the socket, and what comes then is lost.
  await using server = await startExecutable({ NOTIFY_SOCKET, WATCHDOG_USEC: "600000" });
  expect(await manager.next("READY")).toEqual({ READY: "1", STATUS: expect.stringContaining("serving") });
  for (let beats = 0; beats < 3; beats++) await manager.next("WATCHDOG");

  process.kill(server.pid, "SIGHUP");
  const reloading = await manager.next("RELOADING");
  expect(reloading["MONOTONIC_USEC"]).toMatch(/^\d{6,}$/);
  expect(await manager.next("READY")).toMatchObject({ READY: "1" });

  expect(await server.stop()).toBe(0);
  expect(await manager.next("STOPPING")).toEqual({
    STOPPING: "1",
    STATUS: "stopping",
    EXTEND_TIMEOUT_USEC: "20000000",
  });
});

test("openclaw logs how long each part of its start took, in one line", async () => {
  await using server = await startExecutable();
  await server.stop();
  const [line, ...more] = server
    .stderr()
    .split("\n")
    .filter((each) => each.includes("The server has started."));
  expect(more).toEqual([]);
  const { settingsMs, storeMs, grantsMs, listenMs, totalMs } = JSON.parse(line ?? "");
  for (const ms of [settingsMs, storeMs, grantsMs, listenMs]) expect(ms).toBeGreaterThanOrEqual(0);
  expect(settingsMs + storeMs + grantsMs + listenMs).toBeCloseTo(totalMs, 0);
});

test("openclaw serves without a manager that it was told of and that is not there", async () => {
  await using server = await startExecutable({ NOTIFY_SOCKET: "/nowhere/notify", WATCHDOG_USEC: "1000" });
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  expect(await server.stop()).toBe(0);
});
