/** Where mail is handed in. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly secure: boolean;
  /** STARTTLS or nothing: the password must not be read on its way. */
  readonly requireTls: boolean;
  readonly onLoopback: boolean;
  readonly login?: { readonly user: string; readonly password: string };
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host);

/** Reads OPENCLAW_SMTP_URL; a sentence (without the address, which holds a password) when it cannot be used. */
export function readMailServer(text: string): MailServer | string {
  const bad = "OPENCLAW_SMTP_URL must be such as smtps://user:password@host:465 or smtp://host:587";
  // Not the `URL` of unknown schemes alone: its host is not checked there.
  const scheme = /^(smtps?):\/\//i.exec(text)?.[1]?.toLowerCase();
  const asHttp = text.replace(/^smtps?:/i, "http:");
  if (scheme === undefined || !URL.canParse(asHttp)) return bad;
  const url = new URL(asHttp);
  if ((url.pathname !== "/" && url.pathname !== "") || url.search !== "" || url.hash !== "") return bad;
  const secure = scheme === "smtps";
  // An `http` address leaves out a port of 80.
  const port = url.port === "" ? (/:80\/?$/.test(text) ? 80 : secure ? 465 : 587) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const onLoopback = isLoopback(host);
  const base = { host, port, secure, onLoopback };
  if (url.username === "") return { ...base, requireTls: false };
  try {
    const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    return { ...base, requireTls: !secure && !onLoopback, login };
  } catch {
    return `${bad}; a % in the password is written as %25`;
  }
}
