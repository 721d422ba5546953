import ipaddr from "ipaddr.js";
import { AppError } from "../errors.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Who a request comes from, and over what. */
export interface Peer {
  /** The client's address, as far as trusted proxies tell it. */
  readonly address: string;
  /** Whether the client speaks TLS to the outermost trusted proxy. */
  readonly secure: boolean;
}

function readRange(text: string): Range {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (ipaddr.isValid(text)) {
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  }
  throw new AppError("bad_request", `OPENCLAW_TRUSTED_PROXIES: "${text}" is neither an address nor a CIDR.`);
}

const isIn = (address: Address, range: Range) => address.kind() === range[0].kind() && address.match(range);

/** Reads `X-Forwarded-For` and `X-Forwarded-Proto`, but only from the proxies in `trusted` (addresses or CIDRs). */
export function createProxies(trusted: readonly string[]) {
  const ranges = trusted.map(readRange);
  const isTrusted = (text: string) =>
    ipaddr.isValid(text) && ranges.some((range) => isIn(ipaddr.process(text), range));

  return function peerOf(socketAddress: string, headers: Headers): Peer {
    if (ranges.length === 0 || !isTrusted(socketAddress)) return { address: socketAddress, secure: false };
    // Each proxy appends whom it heard, so the last one that is no proxy of ours is the client; what stands before it is hearsay.
    const hops = (headers.get("x-forwarded-for") ?? "").split(",").map((hop) => hop.trim());
    const client = hops.findLast((hop) => !isTrusted(hop));
    const protocol = headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim();
    return {
      address: client !== undefined && ipaddr.isValid(client) ? client : socketAddress,
      secure: protocol === "https",
    };
  };
}

/** What counts as one client: an IPv4 address, or the /64 that an IPv6 host can choose from. */
export function clientKey(address: string): string {
  if (!ipaddr.isValid(address)) return "unknown";
  const parsed = ipaddr.process(address);
  return parsed.kind() === "ipv4" ? parsed.toString() : parsed.toByteArray().slice(0, 8).join(".");
}
