import type { IncomingMessage } from "node:http";
import type { Transform } from "node:stream";
import { AppError } from "../../errors.ts";

export interface Body {
  readonly bytes: Uint8Array;
  /** True when there was more. */
  readonly cut: boolean;
}

async function decoder(encoding: string): Promise<Transform | undefined> {
  if (encoding === "" || encoding === "identity") return undefined;
  const zlib = await import("node:zlib");
  if (encoding === "gzip" || encoding === "x-gzip") return zlib.createGunzip();
  if (encoding === "deflate") return zlib.createInflate();
  if (encoding === "br") return zlib.createBrotliDecompress();
  // Also what is packed twice.
  throw new AppError(
    "unsupported_media_type",
    `Cannot read the answer: it is packed in a way that was not asked for (${encoding.slice(0, 40)}).`,
  );
}

/** The body of an answer, unpacked as it comes, so that no bomb grows past `maxBytes`; the rest is never read. */
export async function readBody(
  message: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Body> {
  const unpack = await decoder((message.headers["content-encoding"] ?? "").trim().toLowerCase());
  let source: AsyncIterable<Buffer> = message;
  if (unpack !== undefined) {
    const { pipeline } = await import("node:stream");
    // Its error comes out of the loop below.
    source = pipeline(message, unpack, () => undefined);
  }
  const blocks: Buffer[] = [];
  let size = 0;
  let cut = false;
  try {
    for await (const block of source) {
      signal.throwIfAborted();
      const room = maxBytes - size;
      cut = block.length > room;
      blocks.push(cut ? block.subarray(0, room) : block);
      size += Math.min(block.length, room);
      if (cut) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new AppError("unavailable", "Cannot read the answer: it broke off, or is packed wrongly.", {
      cause: error,
    });
  } finally {
    message.destroy();
    unpack?.destroy();
  }
  return { bytes: Buffer.concat(blocks), cut };
}
