import { AppError } from "../../errors.ts";

/** A host as URLs spell it: lower case, punycode, IPv6 in brackets, numbers as dotted IPv4; without a dot at its end. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Ports of services that are no web servers and would take a request for something of theirs (Fetch, "bad port"). */
const badPorts: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Names of metadata services; their addresses are refused too. */
const metadataNames =
  /^(?:metadata|metadata\.google\.internal|metadata\.goog|instance-data(?:\.ec2\.internal)?)$/;

/** Reads `host` or `host:port` the way a URL does; undefined when it is none. */
export function readAuthority(text: string, defaultPort: number): HostAndPort | undefined {
  if (text === "" || text.length > 300 || /[\s/\\?#@]/.test(text)) return undefined;
  const url = URL.parse(`http://${text}`);
  if (url === null || url.hostname === "") return undefined;
  // `url.port` leaves out 80.
  const said = /:(\d+)$/.exec(text)?.[1];
  return { host: plainHost(url.hostname), port: said === undefined ? defaultPort : Number(said) };
}

/** One dot at the end says that the name is whole: it is the same host. */
export const plainHost = (hostname: string) => hostname.replace(/\.$/, "");

interface Pattern {
  /** Everything below it, when it begins with a dot. */
  readonly host: string;
  readonly port: number | undefined;
}

function readPattern(text: string): Pattern {
  const below = text.startsWith("*.");
  const found = readAuthority(below ? text.slice(2) : text, -1);
  if (found === undefined || found.host.includes("*")) {
    throw new AppError(
      "bad_request",
      `OPENCLAW_ALLOWED_HOSTS: cannot use ${JSON.stringify(text)}: write example.com, *.example.com or host:port, without http://. Leave the setting empty to allow every public host.`,
    );
  }
  return {
    host: below ? `.${found.host}` : found.host,
    port: found.port === -1 ? undefined : found.port,
  };
}

export interface HostRules {
  /** Why a host may not be asked for, in words that follow its name; undefined when it may. No name is resolved for it. */
  fault(host: string, port: number): string | undefined;
}

/** Reads `OPENCLAW_ALLOWED_HOSTS`. Throws an `AppError` that names the pattern which is none. */
export function readHostRules(patterns: readonly string[]): HostRules {
  const all = patterns.map(readPattern);
  const matches = (pattern: Pattern, host: string) =>
    pattern.host.startsWith(".") ? host.endsWith(pattern.host) : host === pattern.host;
  return {
    fault(host, port) {
      if (metadataNames.test(host))
        return "is the name of a cloud's metadata service, which nothing may reach";
      const allowing = all.filter(
        (pattern) => matches(pattern, host) && (pattern.port === undefined || pattern.port === port),
      );
      if (all.length > 0 && allowing.length === 0) {
        return "is not among the hosts that may be reached here (OPENCLAW_ALLOWED_HOSTS)";
      }
      const portIsNamed = allowing.some((pattern) => pattern.port === port);
      if (badPorts.has(port) && !portIsNamed) return `has no web server at port ${port}, by its number`;
      return undefined;
    },
  };
}
