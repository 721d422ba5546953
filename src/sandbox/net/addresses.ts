import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What `OPENCLAW_ALLOW_PRIVATE_NETWORK` opens, beside the public addresses. */
const privateKinds: ReadonlySet<string> = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/** Where clouds hand out credentials of the machine, as far as they are not link-local (which is refused as a whole). */
const metadataAddresses: ReadonlySet<string> = new Set([
  "100.100.100.200", // Alibaba
  "168.63.129.16", // Azure
  "192.0.0.192", // Oracle
  "fd00:42::42", // Scaleway
  "fd00:ec2::254", // Amazon
  "fd20:ce::254", // Google
]);

/** All of IPv6 that is given to hosts of the internet (RFC 4291); what lies outside is special, whatever else a table says. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");
const nat64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

const lastFour = (address: ipaddr.IPv6) => new ipaddr.IPv4(address.toByteArray().slice(12));

/** The address that packets go to in the end: the IPv4 one inside of an IPv4-mapped or NAT64 address. */
function inner(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  return address.match(nat64) ? lastFour(address) : address;
}

/** An address as it stands in an answer of the resolver or in a URL without brackets; undefined for anything else. */
export function readAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // A zone leads to a link, and never out.
  if (!text.includes(":") || /[^\da-f:.]/i.test(text)) return undefined;
  // As a URL writes it, in hexadecimal: ipaddr.js takes `::127.0.0.1` for an IPv4-mapped address, which it is not.
  const plain = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
  return plain === undefined ? undefined : inner(ipaddr.IPv6.parse(plain));
}

/** ISATAP carries an IPv4 address in an ordinary prefix (RFC 5214). */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [fifth = 0, sixth = 0] = address.parts.slice(4);
  return (fifth & ~0x0200) === 0 && sixth === 0x5efe;
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || (address.match(globalUnicast) && !isIsatap(address));
}

/** Why nothing may connect to an address, in words that follow "it is …"; undefined when it may. */
export function addressFault(text: string, allowPrivate: boolean): string | undefined {
  const address = readAddress(text);
  if (address === undefined) return "no plain address";
  if (metadataAddresses.has(address.toString())) return "an address of a cloud's metadata service";
  const kind = address.range();
  if (kind === "linkLocal") return "a link-local address, where clouds keep their metadata service";
  if (isPublic(address) || (allowPrivate && privateKinds.has(kind))) return undefined;
  return privateKinds.has(kind) ? "an address of a private network or of this machine" : "no public address";
}

/** Whether it is loopback, or an address of one of this machine's own interfaces. */
export function isOwnAddress(text: string, own: readonly string[]): boolean {
  const address = readAddress(text);
  if (address === undefined) return true;
  if (address.range() === "loopback") return true;
  const plain = address.toString();
  return own.some((mine) => readAddress(mine.replace(/%.*$/, ""))?.toString() === plain);
}
