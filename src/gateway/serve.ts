import { AppError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { GatewaySettings } from "./parts.ts";

/** What is served. */
export interface Served {
  /** Answers a request; undefined when it became a WebSocket. */
  fetch(request: Request, server: Bun.Server<Connection>): Promise<Response | undefined>;
  readonly websocket: Bun.WebSocketHandler<Connection>;
  /** From now on the server is not ready: no connection and no turn without a session begins. */
  drain(): void;
  /** Closes every WebSocket. */
  closeAll(code: number, reason: string): void;
}

export interface Listening {
  readonly port: number;
  readonly url: string;
  /** Drains, closes every WebSocket with 1001, waits at most `ms` for answers that are under way, and cuts the rest. */
  stop(ms: number): Promise<void>;
}

/** Seconds that a connection may be silent while nothing slow is asked of it. */
export const idleSeconds = 30;

const goingAway = 1001;

const cannotListen = (address: string, cause: unknown) =>
  new AppError(
    "unavailable",
    `Cannot listen on ${address}: ${cause instanceof Error ? cause.message : cause} Is another server running there? OPENCLAW_PORT and OPENCLAW_BIND_ADDRESS choose another place.`,
    { cause },
  );

/** Listens with `Bun.serve`. Throws `unavailable` when the place is taken. */
export function serve(served: Served, { bindAddress, port }: GatewaySettings): Listening {
  const host = bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
  const listen = () => {
    try {
      return Bun.serve({
        hostname: bindAddress,
        port,
        idleTimeout: idleSeconds,
        // Ours is the limit that counts, with an answer that says so.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        // Two servers on one port would share its connections without a word.
        reusePort: false,
        fetch: served.fetch,
        websocket: served.websocket,
      });
    } catch (error) {
      throw cannotListen(`${host}:${port}`, error);
    }
  };
  const server = listen();
  const bound = server.port ?? port;
  return {
    port: bound,
    url: `http://${host}:${bound}`,
    async stop(ms) {
      served.drain();
      served.closeAll(goingAway, "server is going away");
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      await Promise.race([server.stop(), late]);
      clearTimeout(timer);
      await server.stop(true);
    },
  };
}
