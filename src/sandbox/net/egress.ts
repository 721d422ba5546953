import type { Caller } from "../tool.ts";

/** Where connections to the outside may go. */
export interface EgressRules {
  /** Host names; `*.example.com` for all below, `host:port` for one port. Empty: every public host. */
  readonly allowedHosts: readonly string[];
  readonly allowPrivateNetwork: boolean;
  /** Never connected to, whatever is allowed: our own listener, by port on every address of this machine. */
  readonly ownPort: () => number | undefined;
}

/** One user's way through the proxy: the credentials in `url` are good until `release`, or until its signal ends. */
export interface EgressPass {
  /** `http://user:password@127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Refused so far: `host: why`, at most 20; a tool shows them beside what the program said. */
  readonly refusals: readonly string[];
  release(): void;
}

/**
 * An HTTP proxy (CONNECT and absolute-form) on loopback for what cannot be pinned to an address otherwise: browser, git
 * and granted processes. Each connection passes the same rules as `fetch` of `net.ts`. Listens when first asked.
 */
export interface Egress {
  pass(caller: Caller, signal: AbortSignal): Promise<EgressPass>;
  close(): Promise<void>;
}
