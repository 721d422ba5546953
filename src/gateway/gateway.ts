import { busy, stopping } from "../errors.ts";
import { count } from "../telemetry/metrics.ts";
import { createApp } from "./app.ts";
import { createChannelDoor } from "./channel-door.ts";
import type { App, Call } from "./call.ts";
import type { Connection } from "./connection.ts";
import { createCors } from "./cors.ts";
import { type Credentials, createDoor } from "./door.ts";
import { createLongRequests } from "./long-requests.ts";
import { createLogins } from "./logins.ts";
import type { GatewayParts } from "./parts.ts";
import { pathOf } from "./path.ts";
import { errorResponse } from "./respond.ts";
import { idleSeconds, type Listening, type Served, serve } from "./serve.ts";
import { upgradeRequest } from "./upgrade.ts";
import { createSockets } from "./websocket.ts";

export interface Gateway extends Served {
  readonly app: App;
  /** Listens on the address of the settings. Throws `unavailable` when it is taken. */
  serve(): Listening;
  /** Asks for these tokens from now on, and ends the connections and streams of those that are withdrawn. */
  takeTokens(credentials: Credentials): void;
  /** Open WebSocket connections. */
  connections(): number;
  /** Writes down what was only counted so far. */
  close(): Promise<void>;
}

/** Who watches the server is answered however much there is to do. */
const isForWatchers = (path: string) => path.startsWith("/health") || path.startsWith("/metrics");

/** The door to everything: HTTP and WebSocket. */
export function createGateway(parts: GatewayParts): Gateway {
  const { settings } = parts;
  const logins = createLogins(async (events) => {
    const { store, audit } = parts;
    if (audit === undefined) return;
    await store.write(async (tx) => {
      for (const event of events) await audit.record(tx, event);
    });
  });
  const door = createDoor(settings, { refused: logins.refused });
  const channelDoor = createChannelDoor(parts.channels?.routes ?? [], {
    peer: door.peer,
    refused: (address) => logins.refused(address, "wrong_proof"),
  });
  const cors = createCors(door.allowed);
  const sockets = createSockets(parts);
  const longRequests = createLongRequests();
  const { maxRequests = Number.POSITIVE_INFINITY } = settings;
  let draining = false;
  const app = createApp(parts, door, logins, { isDraining: () => draining, connections: sockets.count });

  async function answer(request: Request, path: string, server: Bun.Server<Connection>) {
    const socketAddress = () => server.requestIP(request)?.address ?? "unknown";
    const arrival = { request, path, socketAddress };
    if (channelDoor.isFor(arrival)) return channelDoor.answer(arrival);
    const principal = door.admit(arrival);
    if (path === "/ws" && principal !== undefined) {
      if (draining) throw stopping();
      // Of a request that became a WebSocket nobody can tell any more.
      const { address } = door.peer(arrival);
      upgradeRequest(request, server, { principal, sendBufferBytes: settings.sendBufferBytes });
      logins.entered(principal, "websocket", address);
      return undefined;
    }
    // On an open path nobody has a name, and there is no token that could be withdrawn.
    const long = longRequests.watch(request, principal?.name ?? "");
    const call: Call = {
      path,
      principal,
      socketAddress,
      get gone() {
        return long.gone;
      },
      setSlow(slow) {
        long.setLong(slow);
        server.timeout(request, slow ? 0 : idleSeconds);
      },
    };
    return app.fetch(request, call);
  }

  const gateway: Gateway = {
    app,
    websocket: sockets.handlers,
    async fetch(request, server) {
      count("totalRequests");
      const path = pathOf(request);
      if (server.pendingRequests > maxRequests && !isForWatchers(path)) return errorResponse(busy(), path);
      const preflight = cors.preflight(request, path);
      if (preflight !== undefined) return preflight;
      const answered = await answer(request, path, server).catch((error) => errorResponse(error, path));
      return answered && cors.mark(answered, request, path);
    },
    serve: () => serve(gateway, settings),
    drain() {
      draining = true;
    },
    closeAll: sockets.closeAll,
    connections: sockets.count,
    takeTokens(credentials) {
      const withdrawn = door.takeTokens(credentials);
      sockets.closeOf(withdrawn, "this token is no longer valid");
      longRequests.endOf(withdrawn);
    },
    close: logins.close,
  };
  return gateway;
}
