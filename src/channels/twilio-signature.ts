import { isSameText, sha1Base64 } from "./signatures.ts";

/**
 * Twilio's signature of a request, as its official package checks it (`validateRequest`): HMAC-SHA1 of the address
 * and the sorted fields, in base64.
 * https://www.twilio.com/docs/usage/security#validating-requests
 */

/** The fields of a form; one that is there several times has several values. */
export type Fields = ReadonlyMap<string, readonly string[]>;

export function readFields(form: string): Fields {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(form)) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return fields;
}

/** Names by their UTF-16 units; of one name each value once, sorted likewise. */
const joined = (fields: Fields) =>
  [...fields.keys()]
    .sort()
    .flatMap((name) => [...new Set(fields.get(name))].sort().map((value) => name + value))
    .join("");

/** An address in parts that no parser has changed. */
function splitUrl(url: string) {
  const [prefix, scheme = "", authority = ""] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)/i.exec(url) ?? [];
  if (prefix === undefined) return undefined;
  const user = authority.slice(0, authority.lastIndexOf("@") + 1);
  const host = authority.slice(user.length);
  // Behind the closing bracket of an IPv6 address only.
  const colon = host.indexOf(":", host.lastIndexOf("]") + 1);
  const name = colon === -1 ? host : host.slice(0, colon);
  const port = colon === -1 ? "" : host.slice(colon + 1);
  return { scheme, user, name, port, rest: url.slice(prefix.length) };
}

function withoutPort(url: string): string {
  const parts = splitUrl(url);
  return parts === undefined ? url : parts.scheme + parts.user + parts.name + parts.rest;
}

function withPort(url: string): string {
  const parts = splitUrl(url);
  if (parts === undefined || parts.port !== "") return url;
  const port = parts.scheme.toLowerCase() === "https://" ? ":443" : ":80";
  return parts.scheme + parts.user + parts.name + port + parts.rest;
}

/** The query as Node's `querystring` writes it, which some of Twilio's own servers sign. */
async function withOldQuery(url: string): Promise<string> {
  const at = url.indexOf("?");
  if (at === -1 || at === url.length - 1) return url;
  const { parse, stringify } = await import("node:querystring");
  return `${url.slice(0, at)}?${stringify(parse(url.slice(at + 1)))}`;
}

/** The signature of a request to exactly this address. */
export const twilioSignature = (token: string, url: string, fields: Fields) =>
  sha1Base64(token, url + joined(fields));

/** Whether Twilio signed this request to us, whichever way of writing our address it took. */
export async function isSignedByTwilio(
  token: string,
  signature: string,
  { url, fields }: { readonly url: string; readonly fields: Fields },
): Promise<boolean> {
  const signs = (address: string) => isSameText(twilioSignature(token, address, fields), signature);
  if (signs(withoutPort(url)) || signs(withPort(url))) return true;
  const parsed = new URL(url).toString();
  const both = [withoutPort(parsed), withPort(parsed)];
  if (both.some(signs)) return true;
  return (await Promise.all(both.map(withOldQuery))).some(signs);
}
