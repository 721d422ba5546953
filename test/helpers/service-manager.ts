import { dlopen } from "bun:ffi";
import { rmSync } from "node:fs";
import { socketAddress } from "../../src/linux/notify.ts";

const unixDatagram = [1, 2] as const;
const withoutWaiting = 0x40;
const everyMs = 5;

/** What systemd is for a service: a socket on which it is told what happens. */
export interface FakeServiceManager extends Disposable {
  /** The messages so far, each as its fields. */
  readonly heard: readonly Readonly<Record<string, string>>[];
  /** The first message with this field that was not waited for before; throws when none comes. */
  next(field: string): Promise<Readonly<Record<string, string>>>;
}

/** Listens at a path, or at an `@name`. */
export function fakeServiceManager(name: string): FakeServiceManager {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const socket = symbols.socket(...unixDatagram, 0);
  const address = socketAddress(name);
  if (symbols.bind(socket, address, address.length) !== 0) throw new Error(`Cannot listen at ${name}.`);
  const heard: Record<string, string>[] = [];
  const taken = new Set<object>();
  const buffer = new Uint8Array(4096);
  const read = () => {
    for (;;) {
      const length = Number(symbols.recv(socket, buffer, buffer.length, withoutWaiting));
      if (length < 0) return;
      const lines = new TextDecoder().decode(buffer.subarray(0, length)).trimEnd().split("\n");
      heard.push(Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))));
    }
  };
  const timer = setInterval(read, everyMs);
  return {
    heard,
    async next(field) {
      const until = performance.now() + 15_000;
      while (performance.now() < until) {
        const found = heard.find((message) => field in message && !taken.has(message));
        if (found !== undefined) {
          taken.add(found);
          return found;
        }
        await Bun.sleep(everyMs);
      }
      throw new Error(`${field} was not told; heard: ${JSON.stringify(heard)}`);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      symbols.close(socket);
      if (!name.startsWith("@")) rmSync(name, { force: true });
    },
  };
}
