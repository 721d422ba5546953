import { readLimited } from "./read-limited.ts";

const timeoutMs = 30_000;

export interface AttachmentSource {
  readonly url: string;
  /** Shown only to `url` itself, never to where it redirects. */
  readonly authorization: string;
  /** Where its answer may send us on to: ends of names of hosts, such as `.example.com`. */
  readonly onwards: readonly string[];
}

/** Gets the bytes of something that came with a message. Throws `payload_too_large` beyond `maxBytes`. */
export async function fetchAttachment(
  { url, authorization, onwards }: AttachmentSource,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const first = await fetch(url, { headers: { authorization }, redirect: "manual", signal: inTime });
  const location = first.headers.get("location");
  if (first.status < 300 || first.status > 399 || location === null) return bytesOf(first, maxBytes);
  void first.body?.cancel().catch(() => {});
  const { protocol, hostname, href } = new URL(location, url);
  if (protocol !== "https:" || !onwards.some((end) => hostname.endsWith(end)))
    throw new Error(`The attachment is said to lie at ${hostname.slice(0, 200)}, where it is not fetched.`);
  return bytesOf(await fetch(href, { redirect: "error", signal: inTime }), maxBytes);
}

async function bytesOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.ok) return readLimited(response.body, maxBytes);
  void response.body?.cancel().catch(() => {});
  throw new Error(`The attachment was answered with ${response.status}.`);
}
