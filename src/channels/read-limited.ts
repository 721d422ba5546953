import { AppError } from "../errors.ts";

/** Reads a body to its end. Throws `payload_too_large` as soon as it is larger than `maxBytes`, and reads no further. */
export async function readLimited(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(pieces, length);
      length += value.byteLength;
      if (length > maxBytes)
        throw new AppError("payload_too_large", `There are more than ${maxBytes} bytes.`);
      pieces.push(value);
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
