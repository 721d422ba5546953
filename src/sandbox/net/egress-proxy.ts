import { createServer, type Socket } from "node:net";
import { serveConnection } from "./egress-connection.ts";
import { createPasses } from "./egress-passes.ts";
import type { EgressPass } from "./egress.ts";
import type { Net } from "./net.ts";

export interface EgressProxy {
  readonly port: number;
  pass(signal: AbortSignal): EgressPass;
  close(): Promise<void>;
}

export interface ProxyLimits {
  readonly headMs: number;
  readonly idleMs: number;
  /** Connections of all users together. */
  readonly connections: number;
}

export const proxyLimits: ProxyLimits = { headMs: 10_000, idleMs: 300_000, connections: 1024 };

/** Listens on a port of loopback that the system chooses. */
export async function startEgressProxy(net: Net, limits: ProxyLimits = proxyLimits): Promise<EgressProxy> {
  const passes = createPasses();
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (clients.size >= limits.connections) return client.destroy();
    clients.add(client);
    client.once("close", () => clients.delete(client));
    void serveConnection(client, { net, findPass: passes.find, ...limits });
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  // Not what keeps the program running.
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The egress proxy has no port.");
  const { port } = address;

  return {
    port,
    pass: (signal) => passes.make(port, signal),
    async close() {
      passes.releaseAll();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const client of clients) client.destroy();
      await closed.promise;
    },
  };
}
