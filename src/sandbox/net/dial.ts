import { connect, type Socket } from "node:net";
import { AppError, cancelled } from "../../errors.ts";
import type { Destination } from "./net.ts";
import { shown } from "../paths.ts";

const connectMs = 10_000;

/** One address; the socket stays half open when the other side has said all, so that both ways end on their own. */
function dialOne(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port, allowHalfOpen: true });
  const stop = () => socket.destroy(new Error("stopped"));
  signal.addEventListener("abort", stop, { once: true });
  socket.once("connect", () => resolve(socket));
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

/** Connects to the first address of a checked destination that answers. */
export async function dial(to: Destination, signal: AbortSignal): Promise<Socket> {
  const limit = AbortSignal.timeout(connectMs);
  let cause: unknown;
  for (const address of to.addresses) {
    const share = AbortSignal.timeout(connectMs / Math.min(to.addresses.length, 3));
    const stop = AbortSignal.any([signal, limit, share]);
    if (signal.aborted || limit.aborted) break;
    try {
      return await dialOne(address, to.port, stop);
    } catch (error) {
      cause = error;
    }
  }
  if (signal.aborted) throw cancelled();
  const why = limit.aborted ? "it did not answer in time" : "it does not answer at this port";
  throw new AppError("unavailable", `Cannot connect to ${shown(to.host)}:${to.port}: ${why}.`, { cause });
}
