import ipaddr from "ipaddr.js";
import { AppError } from "../errors.ts";

const hostShape = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/** The one `Host` of a request, as `name` or `name:port`. Bun takes a request with two and joins them, so that is told apart here. */
export function readHost(headers: Headers): string {
  const host = headers.get("host");
  if (host !== null && hostShape.test(host)) return host;
  throw new AppError(
    "bad_request",
    "The request needs exactly one Host header with the name of this server.",
  );
}

/** True for `localhost` and for loopback addresses: names that only this machine itself can be called by. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === "loopback";
}
