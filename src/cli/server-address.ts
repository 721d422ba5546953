import type { Settings } from "../config/settings.ts";
import { isLoopback } from "../config/values.ts";
import { readToken } from "../store/kept-token.ts";

const everywhere = ["0.0.0.0", "::"];

/** Where the server of these settings is reached from this machine: no slash at the end. */
export function serverUrl({ client, gateway }: Settings): string {
  if (client.baseUrl !== undefined) return client.baseUrl;
  const host = everywhere.includes(gateway.bindAddress) ? "127.0.0.1" : gateway.bindAddress;
  return `http://${host.includes(":") ? `[${host}]` : host}:${gateway.port}`;
}

/**
 * The token to send: the operator's, else the one that a server of this machine keeps in the data folder. That one is
 * never sent to another machine, which has no use for it but a bad one. Throws where that file is not to be trusted.
 */
export function clientToken(settings: Settings, url: string): string | undefined {
  if (settings.gateway.authToken !== undefined) return settings.gateway.authToken;
  if (!isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""))) return undefined;
  return readToken(settings.store.dataDir);
}
