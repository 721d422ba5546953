import { AppError } from "../../errors.ts";
import type { EgressProxy } from "./egress-proxy.ts";
import type { Egress, EgressRules } from "./egress.ts";
import { readHostRules } from "./host-rules.ts";
import type { Net, NetParts } from "./net.ts";

/** What the net is reached through: `find` for what connects by itself, and the proxy for what cannot be pinned to an address. */
export interface EgressAndNet extends Egress {
  /** Loaded when first asked for. */
  net(): Promise<Net>;
}

/**
 * Costs next to nothing until it is used: only then the proxy listens. Throws an `AppError` that names
 * `OPENCLAW_ALLOWED_HOSTS` when something in it is no pattern.
 */
export function createEgress(rules: EgressRules, parts: NetParts = {}): EgressAndNet {
  const hosts = readHostRules(rules.allowedHosts);
  let loaded: Promise<Net> | undefined;
  let proxy: Promise<EgressProxy> | undefined;
  let proxyPort: number | undefined;
  let closed = false;

  const load = async () => {
    const { createNet } = await import("./net.ts");
    return createNet(rules, hosts, { ...parts, proxyPort: () => proxyPort });
  };
  const net = () => (loaded ??= load());
  const start = async () => {
    const { startEgressProxy } = await import("./egress-proxy.ts");
    const started = await startEgressProxy(await net());
    proxyPort = started.port;
    return started;
  };

  return {
    net,
    async pass(_caller, signal) {
      if (closed) throw new AppError("unavailable", "Cannot reach the network: the server is stopping.");
      return (await (proxy ??= start())).pass(signal);
    },
    async close() {
      closed = true;
      await (await proxy?.catch(() => undefined))?.close();
    },
  };
}
