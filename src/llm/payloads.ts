import type { Faults } from "./faults.ts";
import { createPayloadDecoder } from "./sse.ts";

export interface Payloads {
  /** The payloads of the next part of the body; undefined after the last. Throws `provider_error` when the connection breaks. */
  next(): Promise<readonly string[] | undefined>;
  /** Reads and drops the rest. Never throws. */
  drain(): Promise<void>;
  /** True when the body was read to its end. */
  ended(): boolean;
}

/** All that one answer may have: far more than the longest one that is kept. */
const maxBodyBytes = 256 * 1024 * 1024;

/** The payloads in the body of an answer, as they come. */
export function readPayloads(response: Response, faults: Faults): Payloads {
  if (!response.body) throw faults.broken("sent an empty answer");
  const reader = response.body.getReader();
  const decoder = createPayloadDecoder();
  let bytes = 0;
  let ended = false;

  async function read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await reader.read();
      ended = done;
      bytes += value?.length ?? 0;
      if (bytes <= maxBodyBytes) return value;
    } catch (error) {
      throw faults.lost(error);
    }
    throw faults.broken(`sent an answer of more than ${maxBodyBytes} bytes`);
  }

  return {
    async next() {
      if (ended) return undefined;
      const part = await read();
      return part ? decoder.push(part) : decoder.end();
    },
    async drain() {
      try {
        while (!ended) await read();
      } catch {
        // The answer is whole: only the connection is lost.
      }
    },
    ended: () => ended,
  };
}
