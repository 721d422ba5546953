import { fieldValues, forwardFields, type HttpHead } from "./http-head.ts";
import { type HostAndPort, readAuthority } from "./host-rules.ts";

/** What a client of the proxy asks for: a tunnel, or one request to a plain-HTTP server with the head that is sent there. */
export type EgressRequest =
  | { readonly kind: "tunnel"; readonly to: HostAndPort }
  | { readonly kind: "request"; readonly to: HostAndPort; readonly head: HttpHead };

/** Reads the head of a request to the proxy; undefined when it is neither CONNECT nor a request in absolute form. */
export function readEgressRequest(head: HttpHead): EgressRequest | undefined {
  const [, method, target, version] =
    /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) (HTTP\/1\.[01])$/.exec(head.line) ?? [];
  if (method === undefined || target === undefined) return undefined;
  if (method === "CONNECT") {
    const to = /:\d+$/.test(target) ? readAuthority(target, 443) : undefined;
    return to && { kind: "tunnel", to };
  }
  // The path stays as it is: what is checked here and connected to here is the authority alone.
  const [, authority = "", path = ""] = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(target) ?? [];
  const to = readAuthority(authority, 80);
  if (to === undefined) return undefined;
  const isSocket = fieldValues(head, "upgrade").some((value) => value.toLowerCase() === "websocket");
  const fields = forwardFields(head, isSocket).filter(({ name }) => name.toLowerCase() !== "host");
  const host = { name: "Host", value: to.port === 80 ? to.host : `${to.host}:${to.port}` };
  const line = `${method} ${path.startsWith("/") ? path : `/${path}`} ${version}`;
  return { kind: "request", to, head: { line, fields: [host, ...fields] } };
}

/** The user and password of a Basic `Proxy-Authorization`, as they were sent (base64); undefined when there is not just one. */
export function readPassword(head: HttpHead): string | undefined {
  const [value, ...more] = fieldValues(head, "proxy-authorization");
  if (value === undefined || more.length > 0) return undefined;
  return /^basic +([A-Za-z0-9+/]+=*)$/i.exec(value)?.[1];
}
