import { AppError } from "../errors.ts";

/** The origin that a page has which this server sent; `host` is the Host header. */
function ownOrigin(secure: boolean, host: string): string | undefined {
  const url = `${secure ? "https" : "http"}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

export interface OriginRule {
  readonly secure: boolean;
  readonly host: string;
  /** Foreign origins that may come in as well. */
  readonly allowed: ReadonlySet<string>;
}

export const isOwnOrigin = (origin: string, { secure, host }: Pick<OriginRule, "secure" | "host">) =>
  origin === ownOrigin(secure, host);

/** Throws `forbidden` for a page of somebody else. `null`, which sandboxed pages send, is somebody else. */
export function checkOrigin(origin: string | null, rule: OriginRule): void {
  if (origin === null || isOwnOrigin(origin, rule) || rule.allowed.has(origin)) return;
  throw new AppError(
    "forbidden",
    `Pages of ${origin.slice(0, 200)} may not use this server. Its operator can let them in with OPENCLAW_ALLOWED_ORIGINS (which needs OPENCLAW_AUTH_TOKEN), or name the TLS proxy in OPENCLAW_TRUSTED_PROXIES if the page is the server's own.`,
  );
}
