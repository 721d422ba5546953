import { AppError, cancelled } from "../../errors.ts";
import { addressFault, isOwnAddress, readAddress } from "./addresses.ts";
import type { EgressRules } from "./egress.ts";
import type { HostAndPort, HostRules } from "./host-rules.ts";
import { shown } from "../paths.ts";

/** All addresses of a name, IPv4 and IPv6, in the order to try them. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** A host whose name was resolved once and whose addresses were all checked: connect to these, never to the name. */
export interface Destination extends HostAndPort {
  readonly addresses: readonly string[];
}

export interface Net {
  /** Throws `forbidden` where nothing may connect to, and `unavailable` where the name leads nowhere. */
  find(where: HostAndPort, signal: AbortSignal): Promise<Destination>;
}

export interface NetParts {
  /** The system's resolver when left out. */
  readonly resolve?: Resolve;
  /** The addresses of this machine; asked at each check, because they change. */
  readonly ownAddresses?: () => readonly string[];
  /** Of our own proxy, which must not be asked to connect to itself. */
  readonly proxyPort?: () => number | undefined;
}

const resolveMs = 10_000;
const mostAddresses = 32;

async function resolveBySystem(name: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** Waits for a promise that cannot be stopped, no longer than the signal. */
async function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined);
  }
}

/** The one place that says where a connection may go: the name, then every address behind it. A check that fails counts as no. */
export async function createNet(rules: EgressRules, hosts: HostRules, parts: NetParts = {}): Promise<Net> {
  const { networkInterfaces } = await import("node:os");
  const resolve = parts.resolve ?? resolveBySystem;
  const ownAddresses =
    parts.ownAddresses ??
    (() => Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)));

  const refuse = ({ host, port }: HostAndPort, why: string) =>
    new AppError("forbidden", `Cannot connect to ${shown(host)}:${port}: ${why}.`);

  async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const literal = host.startsWith("[") ? host.slice(1, -1) : host;
    if (readAddress(literal) !== undefined) return [literal];
    const limit = AbortSignal.timeout(resolveMs);
    try {
      return await until(resolve(host), AbortSignal.any([signal, limit]));
    } catch (error) {
      if (signal.aborted) throw cancelled();
      const why = limit.aborted
        ? `its name was not resolved within ${resolveMs / 1000} seconds`
        : "its name does not resolve";
      throw new AppError("unavailable", `Cannot connect to ${shown(host)}: ${why}.`, { cause: error });
    }
  }

  /** Why an address behind a name may not be connected to. */
  function fault(address: string, port: number): string | undefined {
    const why = addressFault(address, rules.allowPrivateNetwork);
    if (why !== undefined) return `it is ${why}`;
    const isOurs = port === rules.ownPort() || port === parts.proxyPort?.();
    if (isOurs && isOwnAddress(address, ownAddresses())) {
      return "it is this server itself, which nothing that runs here may reach";
    }
    return undefined;
  }

  return {
    async find(where, signal) {
      const { host, port } = where;
      const hostFault = hosts.fault(host, port);
      if (hostFault !== undefined) throw refuse(where, `${shown(host)} ${hostFault}`);
      const addresses = await addressesOf(host, signal);
      if (addresses.length === 0) {
        throw new AppError("unavailable", `Cannot connect to ${shown(host)}: its name has no address.`);
      }
      if (addresses.length > mostAddresses) throw refuse(where, "its name has too many addresses");
      // All of them: which one answers first would be the attacker's choice.
      for (const address of addresses) {
        const why = fault(address, port);
        if (why !== undefined) throw refuse(where, why);
      }
      return { host, port, addresses };
    },
  };
}
