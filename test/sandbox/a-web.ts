import { createEgress } from "../../src/sandbox/net/create-egress.ts";
import type { EgressRules } from "../../src/sandbox/net/egress.ts";
import type { Resolve } from "../../src/sandbox/net/net.ts";
import { lendWeb } from "../../src/sandbox/net/web.ts";
import { aCaller } from "./workspace.ts";

export interface WebOptions extends Partial<EgressRules> {
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

/** The egress proxy and `web`, with private addresses allowed: the sites of the tests are on loopback. */
export function aWeb(options: WebOptions = {}) {
  const { resolve, timeoutMs, ...rules } = options;
  const egress = createEgress(
    { allowedHosts: [], allowPrivateNetwork: true, ownPort: () => undefined, ...rules },
    resolve && { resolve },
  );
  const lender = lendWeb({ net: egress.net, ...(timeoutMs !== undefined && { timeoutMs }) });
  const signal = new AbortController().signal;
  const { web: lend } = lender.lend;
  if (lend === undefined) throw new Error("There is no web.");
  return {
    egress,
    lend: lender.lend,
    /** `web` for one call. */
    can: (until = signal) => lend(aCaller, until),
    pass: (until = signal) => egress.pass(aCaller, until),
    async close() {
      lender.close();
      await egress.close();
    },
  };
}

/** A server on loopback that says raw bytes to whoever connects, and tells when a client went away. */
export async function aRawServer(talk: (write: (text: string | Buffer) => boolean) => void | Promise<void>) {
  const { createServer } = await import("node:net");
  let connections = 0;
  const left = Promise.withResolvers<void>();
  const server = createServer((client) => {
    connections += 1;
    client.on("error", () => client.destroy());
    client.once("close", () => left.resolve());
    client.once("data", () => void talk((text) => client.write(text)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It has no port.");
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}/`,
    /** Settles when the first client has gone. */
    left: left.promise,
    get connections() {
      return connections;
    },
    close: () => server.close(),
  };
}
