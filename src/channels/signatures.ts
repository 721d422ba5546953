/** How senders of webhooks prove themselves: a hash of what they send under a secret that both know. */

/** How far the time that a sender signs may be from ours; also how long a captured request is good for. */
const windowMs = 5 * 60_000;

const hmac = (algorithm: "sha1" | "sha256", secret: string, parts: readonly (string | Uint8Array)[]) => {
  const hasher = new Bun.CryptoHasher(algorithm, secret);
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

/** Compares in a time that says nothing of where they differ. */
const areEqual = (left: Uint8Array, right: Uint8Array) =>
  left.length === right.length && crypto.timingSafeEqual(left, right);

/** Base64 of the HMAC-SHA1, as Twilio signs. */
export const sha1Base64 = (secret: string, text: string) => hmac("sha1", secret, [text]).toString("base64");

/** Whether two texts are the same, in a time that says nothing of where they differ. */
export const isSameText = (left: string, right: string) => areEqual(Buffer.from(left), Buffer.from(right));

/** What a sender signed, and when it said it did. */
export interface Signed {
  readonly headers: Headers;
  /** The body, byte by byte as it came. */
  readonly body: Uint8Array;
  /** All that are good at the moment: several while one replaces another. */
  readonly secrets: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Every secret and every signature is tried, so that the time does not say which one it was. */
function isSigned(
  secrets: readonly string[],
  signatures: readonly string[],
  signed: readonly (string | Uint8Array)[],
) {
  const given = signatures.filter((hex) => /^[0-9a-f]{64}$/i.test(hex)).map((hex) => Buffer.from(hex, "hex"));
  let found = false;
  for (const secret of secrets) {
    const expected = hmac("sha256", secret, signed);
    for (const signature of given) if (areEqual(expected, signature)) found = true;
  }
  return found;
}

const isNow = (seconds: string, now: number) =>
  /^\d{1,12}$/.test(seconds) && Math.abs(Number(seconds) * 1000 - now) <= windowMs;

/** `X-Hub-Signature-256: sha256=…`, the HMAC-SHA256 of the body. */
export function isSignedByGitHub({ headers, body, secrets }: Signed): boolean {
  const [, hex = ""] = /^sha256=(\S+)$/i.exec(headers.get("x-hub-signature-256") ?? "") ?? [];
  return isSigned(secrets, [hex], [body]);
}

/** `Stripe-Signature: t=…,v1=…`, of `<t>.<body>`; there may be several `v1` while their secret is replaced. */
export function isSignedByStripe({ headers, body, secrets, now }: Signed): boolean {
  const parts = (headers.get("stripe-signature") ?? "").split(",").map((part) => part.trim());
  const named = (name: string) =>
    parts.flatMap((part) => (part.startsWith(`${name}=`) ? [part.slice(name.length + 1)] : []));
  const [time = "", second] = named("t");
  if (second !== undefined || !isNow(time, now)) return false;
  return isSigned(secrets, named("v1").slice(0, 8), [`${time}.`, body]);
}

/** `X-Slack-Signature: v0=…`, of `v0:<X-Slack-Request-Timestamp>:<body>`. */
export function isSignedBySlack({ headers, body, secrets, now }: Signed): boolean {
  const time = headers.get("x-slack-request-timestamp") ?? "";
  const [, hex = ""] = /^v0=(\S+)$/i.exec(headers.get("x-slack-signature") ?? "") ?? [];
  return isNow(time, now) && isSigned(secrets, [hex], [`v0:${time}:`, body]);
}

/** How a webhook may be signed, by the names of its setting. */
export const signatureShapes = {
  github: { isSigned: isSignedByGitHub, header: "X-Hub-Signature-256" },
  stripe: { isSigned: isSignedByStripe, header: "Stripe-Signature" },
  slack: { isSigned: isSignedBySlack, header: "X-Slack-Signature" },
} as const;
