import type { OnOutput } from "../can-run.ts";
import { binaryKind, sizeText } from "../files/file-kind.ts";
import { createKeptText } from "./kept-text.ts";

type Stream = "stdout" | "stderr";

export interface ProgramOutput {
  /** Reads a stream to its end, however much comes: what is not kept is let go at once. */
  read(stream: Stream, from: ReadableStream<Uint8Array>): Promise<void>;
  /** `cutBytes` is what is left out of the middle. */
  collect(): { readonly output: string; readonly cutBytes: number };
}

/**
 * Keeps the beginning and the end of what both streams say, in the order in which it came, at most `most` characters.
 * `onOutput` hears the first `most` of them. A stream that is no text is described from there on.
 */
export function collectOutput(most: number, onOutput?: OnOutput): ProgramOutput {
  const kept = createKeptText(most);
  const binary = new Map<Stream, { readonly kind: string; bytes: number }>();
  let unheard = most;

  function keep(stream: Stream, text: string) {
    if (text === "") return;
    kept.add(text);
    if (unheard <= 0) return;
    onOutput?.(text.slice(0, unheard), stream);
    unheard -= text.length;
  }

  return {
    async read(stream, from) {
      const decoder = new TextDecoder();
      let isFirst = true;
      for await (const chunk of from) {
        const kind = isFirst ? binaryKind(chunk) : chunk.includes(0) ? "a binary file" : undefined;
        isFirst = false;
        const known = binary.get(stream);
        if (known !== undefined) known.bytes += chunk.byteLength;
        else if (kind !== undefined) binary.set(stream, { kind, bytes: chunk.byteLength });
        else keep(stream, decoder.decode(chunk, { stream: true }));
      }
      if (!binary.has(stream)) keep(stream, decoder.decode());
    },
    collect() {
      const { output, cutBytes } = kept.end();
      const notes = [...binary].map(
        ([stream, { kind, bytes }]) => `[${stream} is ${kind}: ${sizeText(bytes)}, not shown]`,
      );
      return { output: [output, ...notes].filter((text) => text !== "").join("\n"), cutBytes };
    },
  };
}
