import type { Faults } from "./faults.ts";
import { createPayloadDecoder } from "./sse.ts";

export interface Payloads {
  /** The payloads of the next part of the body; undefined after the last. Throws `provider_error` when the connection breaks. */
  next(): Promise<readonly string[] | undefined>;
  /** Milliseconds since the last part came. */
  silentMs(): number;
  /** Reads and drops the rest. Never throws. */
  drain(): Promise<void>;
  /** True when the body was read to its end. */
  ended(): boolean;
}

/** The payloads in the body of an answer, as they come. */
export function readPayloads(response: Response, faults: Faults): Payloads {
  if (!response.body) throw faults.broken("sent an empty answer");
  const reader = response.body.getReader();
  const decoder = createPayloadDecoder();
  let heardAt = performance.now();
  let ended = false;

  async function read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await reader.read();
      heardAt = performance.now();
      ended = done;
      return value;
    } catch (error) {
      throw faults.lost(error);
    }
  }

  return {
    async next() {
      if (ended) return undefined;
      const bytes = await read();
      return bytes ? decoder.push(bytes) : decoder.end();
    },
    silentMs: () => performance.now() - heardAt,
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
