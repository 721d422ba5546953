import type { Environment } from "./setting-row.ts";

/** The systemd that started this process and waits to be told. */
export interface ServiceManager {
  /** Path or `@name` of its socket. */
  readonly socket: string;
  /** Without a sign of life for so long it ends us; absent when it does not watch. */
  readonly watchdogMs?: number;
}

/** What systemd put into the environment; undefined for who was not started so. `pid` is that of this process. */
export function serviceManager(environment: Environment, pid: number): ServiceManager | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
  if (!socket) return undefined;
  // Both are inherited: what is meant for another process is not for us.
  const isOurs = !watched || watched === String(pid);
  const watchdogMs = isOurs && /^\d{1,15}$/.test(microseconds ?? "") ? Number(microseconds) / 1000 : 0;
  return { socket, ...(watchdogMs > 0 && { watchdogMs }) };
}
