import { cancelled, publicError } from "../errors.ts";
import { gatewayLog as log } from "../telemetry/log.ts";
import type { Call } from "./call.ts";
import { safeHeaders } from "./respond.ts";

export const eventStreamHeaders = {
  ...safeHeaders,
  "content-type": "text/event-stream; charset=utf-8",
  // Proxies that collect answers would hold the tokens back.
  "x-accel-buffering": "no",
} as const;

/** Sends a text; waits while the client does not read. Throws `cancelled` when it is gone. */
export type Write = (text: string) => void | Promise<void>;

export interface StreamOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent every 15 s (or `heartbeatMs`), so that no proxy takes the silence for an end. */
  readonly heartbeat?: string;
  readonly heartbeatMs?: number;
  /** Writes the body; what it throws ends the connection. */
  run(write: Write): Promise<void>;
}

export const defaultHeartbeatMs = 15_000;
/** How long a client may leave the network full before it counts as gone. */
const stalledMs = 60_000;

/** True when `flushed` settles in time. */
async function settles(flushed: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), stalledMs);
  const done = flushed.then(
    () => true,
    () => false,
  );
  const inTime = await Promise.race([done, late]);
  clearTimeout(timer);
  return inTime;
}

/** An answer that is written as it comes about. A direct stream: texts go to the socket without a queue between. */
export function streamResponse(
  call: Pick<Call, "setSlow">,
  { headers, heartbeat, heartbeatMs = defaultHeartbeatMs, run }: StreamOptions,
): Response {
  let gone = false;
  const source: Bun.DirectUnderlyingSource = {
    type: "direct",
    async pull(controller) {
      const write: Write = (text) => {
        if (gone) throw cancelled("The client went away.");
        const written = controller.write(text);
        controller.flush();
        if (typeof written === "number") return;
        return settles(written).then((inTime) => {
          if (inTime && !gone) return;
          gone = true;
          throw cancelled("The client stopped reading.");
        });
      };
      const beat = (text: string) => {
        if (gone) return;
        controller.write(text);
        controller.flush();
      };
      const timer = heartbeat === undefined ? undefined : setInterval(beat, heartbeatMs, heartbeat);
      call.setSlow(true);
      let failure: Error | undefined;
      try {
        await run(write);
      } catch (error) {
        failure = publicError(error);
        if (!gone) log.error("an answer broke off", { error });
      }
      clearInterval(timer);
      call.setSlow(false);
      // With an error the connection is cut, so that nobody takes what came so far for the whole.
      controller.close(failure);
    },
    cancel() {
      gone = true;
    },
  };
  // The types of the DOM, which the chat page needs, know no direct streams.
  const untyped: object = source;
  return new Response(new ReadableStream(untyped), { headers });
}
