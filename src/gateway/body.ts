import type * as v from "valibot";
import { AppError } from "../errors.ts";
import { check } from "./check.ts";
import { isNestedDeeper } from "../llm/nesting.ts";

const mostNesting = 100;
/** How long a body may take to arrive, however slowly it drips. */
const bodyTimeoutMs = 60_000;

const tooLarge = (maxBytes: number) =>
  new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes (OPENCLAW_MAX_BODY_BYTES).`);

const tooSlow = () =>
  new AppError("bad_request", `The body did not arrive within ${bodyTimeoutMs / 1000} seconds.`);

/** Reads a body of unknown length piece by piece, and stops at the limit. */
async function readPieces(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(pieces, length);
      length += value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      pieces.push(value);
    }
  } finally {
    // What is left of a body that was refused is not read.
    void reader.cancel().catch(() => {});
  }
}

/** The bytes of a body. Throws `payload_too_large` beyond `maxBytes`. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const told = request.headers.get("content-length");
  if (told === null && request.body === null) return new Uint8Array();
  if (Number(told ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooSlow()), bodyTimeoutMs);
  try {
    // The HTTP parser hands out no more than the length that was told, so then it may all be taken at once.
    const all = told === null && request.body !== null ? readPieces(request.body, maxBytes) : request.bytes();
    return await Promise.race([all, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Decodes UTF-8. Throws `bad_request` for bytes that are none. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("bad_request", "The body is not valid UTF-8.", { cause });
  }
}

/** Parses JSON of bounded depth. Throws `bad_request`. */
export function parseJson(text: string): unknown {
  if (isNestedDeeper(text, mostNesting)) {
    throw new AppError("bad_request", `The JSON is nested deeper than ${mostNesting} levels.`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("bad_request", "The body is not valid JSON.", { cause });
  }
}

const isJson = (type: string | null) => type !== null && /^application\/json\s*(;|$)/i.test(type);

/** The JSON body of a request, by its schema. */
export async function readJson<Schema extends v.GenericSchema<unknown, unknown>>(
  request: Request,
  schema: Schema,
  maxBytes: number,
): Promise<v.InferOutput<Schema>> {
  if (!isJson(request.headers.get("content-type"))) {
    throw new AppError(
      "unsupported_media_type",
      "Send the body as JSON, with Content-Type: application/json.",
    );
  }
  return check(schema, parseJson(decodeUtf8(await readBody(request, maxBytes))));
}
