/** Tells the service manager, in lines `NAME=value` of sd_notify(3). Never waits and never throws: who does not listen misses it. */
export type Notify = (fields: Readonly<Record<string, string | number>>) => void;

export interface NotifySocket {
  readonly send: Notify;
  /** CLOCK_MONOTONIC in microseconds, as the manager has it. */
  monotonicMicroseconds(): bigint;
}

const unixDomain = 1;
const datagramClosedOnExec = 2 | 0o2000000;
const withoutWaitingOrSignal = 0x40 | 0x4000;
const monotonicClock = 1;
const mostPathBytes = 107;

/** An address of a UNIX socket: its path, or with `@` before it a name that lies in no folder. */
export function socketAddress(name: string): Uint8Array {
  const path = new TextEncoder().encode(name);
  if (path.length > mostPathBytes || (name[0] !== "/" && name[0] !== "@"))
    throw new Error(
      `NOTIFY_SOCKET is ${JSON.stringify(name)}: a path or an @name of at most 107 bytes is known.`,
    );
  const isAbstract = name[0] === "@";
  if (isAbstract) path[0] = 0;
  // A path ends in a zero; a name is as long as the address says.
  return new Uint8Array([unixDomain, 0, ...path, ...(isAbstract ? [] : [0])]);
}

/** A message's text: a value stays on its line. */
const textOf = (fields: Readonly<Record<string, string | number>>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value).replace(/[\r\n]+/g, " ")}\n`)
    .join("");

/** Opens the way to the service manager; rejects for an address that is none, and where there is no glibc. */
export async function openNotifySocket(name: string): Promise<NotifySocket> {
  const address = socketAddress(name);
  const { dlopen } = await import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i64" },
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  });
  const socket = symbols.socket(unixDomain, datagramClosedOnExec, 0);
  if (socket < 0) throw new Error("The system gives no socket for the service manager.");
  return {
    send(fields) {
      const text = new TextEncoder().encode(textOf(fields));
      symbols.sendto(socket, text, text.length, withoutWaitingOrSignal, address, address.length);
    },
    monotonicMicroseconds() {
      const time = new BigInt64Array(2);
      symbols.clock_gettime(monotonicClock, time);
      const [seconds = 0n, nanoseconds = 0n] = time;
      return seconds * 1_000_000n + nanoseconds / 1000n;
    },
  };
}
