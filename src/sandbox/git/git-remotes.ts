import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";

/** What a repository's address is: one of the web, a folder of this host, or a name of a configured remote. */
export type GitAddress =
  | { readonly kind: "web"; readonly url: string }
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "name"; readonly name: string };

const refuse = (address: string, why: string) =>
  new AppError("forbidden", `Cannot use the repository ${shown(withoutLogin(address))}: ${why}.`);

/** An address as it may be shown: the part that may hold a password is left out. */
const withoutLogin = (address: string) => address.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1…@");

/** Reads where a repository is. Throws `forbidden` for every way but https, http (where private hosts are allowed) and folders. */
export function readGitAddress(address: string, allowHttp: boolean): GitAddress {
  if (address === "" || /[\p{Cc}\s]/u.test(address) || address.startsWith("-")) {
    throw refuse(address, "that is no address");
  }
  if (address.includes("::")) throw refuse(address, "remote helpers are never used");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === "https" || (scheme === "http" && allowHttp)) {
    if (!URL.canParse(address)) throw refuse(address, "that is no address");
    return { kind: "web", url: address };
  }
  if (scheme === "http") {
    throw refuse(address, "only https:// is used (http:// where OPENCLAW_ALLOW_PRIVATE_NETWORK is on)");
  }
  if (scheme === "file") {
    const isPlain = /^file:\/\/\/[^%]*$/i.test(address);
    if (!isPlain) throw refuse(address, "a file:// address must be a whole path without %");
    return { kind: "local", path: address.slice("file://".length) };
  }
  if (scheme !== undefined) {
    throw refuse(
      address,
      `${scheme}:// is not used, because it cannot be held to the allowed hosts; use https://`,
    );
  }
  // `host:path`, as git understands it: a colon before the first slash.
  if (/^[^/]*:/.test(address))
    throw refuse(address, "ssh is not used, because it cannot be held to the allowed hosts; use https://");
  if (/^[A-Za-z0-9_][\w.-]*$/.test(address)) return { kind: "name", name: address };
  return { kind: "local", path: address };
}
