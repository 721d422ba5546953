import { AppError } from "../errors.ts";
import { readLimited } from "./read-limited.ts";

/** How long a body may take to arrive, however slowly it drips. */
const bodyTimeoutMs = 30_000;

/** The bytes of a provider's request, as they were signed. Throws `payload_too_large` beyond `maxBytes`. */
export async function readDelivery(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    throw new AppError("payload_too_large", `The body has more than ${maxBytes} bytes.`);
  }
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(new AppError("bad_request", `The body did not arrive within ${bodyTimeoutMs / 1000} seconds.`)),
    bodyTimeoutMs,
  );
  try {
    return await Promise.race([readLimited(request.body, maxBytes), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws `unsupported_media_type` unless the request says that it is one of `types`. */
export function checkType(request: Request, ...types: readonly string[]): string {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  const told = type.trim().toLowerCase();
  if (types.includes(told)) return told;
  throw new AppError(
    "unsupported_media_type",
    `Send this as ${types.join(" or ")}, not as ${told.slice(0, 100) || "nothing"}.`,
  );
}

/** A body as text. Throws `bad_request` for bytes that are no UTF-8. */
export function deliveryText(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new AppError("bad_request", "The body is not valid UTF-8.", { cause });
  }
}

/** A body as JSON. Throws `bad_request`. Of a key that is there twice the last counts, as everywhere in JavaScript. */
export function deliveryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("bad_request", "The body is not valid JSON.", { cause });
  }
}

/** The sender has not proved who it is; nothing of the request was looked at. */
export const unproved = (what: string) => new AppError("unauthorized", `${what} is missing or wrong.`);
