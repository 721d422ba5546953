import { expect, test } from "bun:test";
import { serviceManager } from "../../src/config/service-manager.ts";

test("serviceManager is there with its socket, and watches whom it names", () => {
  expect(serviceManager({}, 7)).toBeUndefined();
  expect(serviceManager({ WATCHDOG_USEC: "1000" }, 7)).toBeUndefined();
  const NOTIFY_SOCKET = "/run/x";
  expect(serviceManager({ NOTIFY_SOCKET }, 7)).toEqual({ socket: "/run/x" });
  const watched = { NOTIFY_SOCKET, WATCHDOG_USEC: "3000000" };
  expect(serviceManager({ ...watched, WATCHDOG_PID: "7" }, 7)?.watchdogMs).toBe(3000);
  expect(serviceManager(watched, 7)?.watchdogMs).toBe(3000);
  expect(serviceManager({ ...watched, WATCHDOG_PID: "8" }, 7)?.watchdogMs).toBeUndefined();
  expect(serviceManager({ NOTIFY_SOCKET, WATCHDOG_USEC: "soon" }, 7)?.watchdogMs).toBeUndefined();
});
