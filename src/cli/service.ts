import type { ServiceManager } from "../config/service-manager.ts";
import { log } from "../telemetry/log.ts";

/** How the service manager hears of the life of this server; without one nothing happens. */
export interface Service {
  ready(status: string): void;
  /** `ms`: what the stop may take. */
  stopping(ms: number): void;
  /** To be followed by `ready`. */
  reloading(): void;
}

const nobody: Service = { ready() {}, stopping() {}, reloading() {} };

/** Never sooner, however short the manager's time is. */
const shortestBeatMs = 10;

/**
 * Opens the way to the service manager. At half of its time it is given a sign of life while `check` resolves: a server
 * whose event loop or store hangs is then started again.
 */
export async function connectService(
  manager: ServiceManager | undefined,
  check: () => Promise<void>,
): Promise<Service> {
  if (manager === undefined) return nobody;
  const { openNotifySocket } = await import("../linux/notify.ts");
  const socket = await openNotifySocket(manager.socket).catch((error: unknown) => {
    log.warn("the service manager cannot be told anything", { error });
    return undefined;
  });
  if (socket === undefined) return nobody;
  const { send, monotonicMicroseconds } = socket;
  let looking = false;
  const beat = async () => {
    if (looking) return;
    looking = true;
    try {
      await check();
      send({ WATCHDOG: 1 });
    } catch (error) {
      log.warn("no sign of life is given: the store takes nothing in", { error });
    } finally {
      looking = false;
    }
  };
  const { watchdogMs } = manager;
  if (watchdogMs !== undefined)
    setInterval(() => void beat(), Math.max(shortestBeatMs, watchdogMs / 2)).unref();
  return {
    ready(status) {
      send({ READY: 1, STATUS: status });
    },
    stopping: (ms) => send({ STOPPING: 1, STATUS: "stopping", EXTEND_TIMEOUT_USEC: Math.round(ms * 1000) }),
    reloading: () => send({ RELOADING: 1, MONOTONIC_USEC: String(monotonicMicroseconds()) }),
  };
}
