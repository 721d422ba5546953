const longestAddress = 254;
// No `%` and no `!`: with them a mail server may be told to send it on to somewhere else.
const localPart = /^[a-z0-9&'*+/=?^_{|}~#$-]+(?:\.[a-z0-9&'*+/=?^_{|}~#$-]+)*$/;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The domain as mail servers are told it: small letters, international names in their ASCII form. Undefined: it is none. */
function asciiDomain(domain: string): string | undefined {
  if (domain === "" || /[\s/?#@:\\[\]%]/.test(domain) || !URL.canParse(`http://${domain}/`)) return undefined;
  const ascii = new URL(`http://${domain}/`).hostname;
  return ascii.split(".").every((part) => label.test(part)) && !/\.\d+$|^\d+$/.test(ascii)
    ? ascii
    : undefined;
}

/** One bare address, without a name, quotes or brackets, in small letters. Undefined: it is none. */
export function readAddress(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  const at = trimmed.lastIndexOf("@");
  const local = trimmed.slice(0, Math.max(at, 0));
  const domain = asciiDomain(trimmed.slice(at + 1));
  if (at < 1 || local.length > 64 || !localPart.test(local) || domain === undefined) return undefined;
  const address = `${local}@${domain}`;
  return address.length > longestAddress ? undefined : address;
}

/** Whether an address from `readAddress` is allowed. Patterns: `ada@example.com`, `*@example.com`, `*@*.example.com`, `*@*`. */
export function isAllowed(address: string, patterns: readonly string[]): boolean {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  return patterns.some((text) => {
    const pattern = text.trim().toLowerCase();
    const split = pattern.lastIndexOf("@");
    const [wantedLocal, wanted] = [pattern.slice(0, Math.max(split, 0)), pattern.slice(split + 1)];
    if (wantedLocal !== "*" && wantedLocal !== local) return false;
    if (wanted === "*") return true;
    if (!wanted.startsWith("*.")) return asciiDomain(wanted) === domain;
    const above = asciiDomain(wanted.slice(2));
    return above !== undefined && domain.endsWith(`.${above}`);
  });
}
