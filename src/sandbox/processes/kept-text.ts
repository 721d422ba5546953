/** Text that comes in pieces, of which the beginning and the end are kept. */
export interface KeptText {
  add(piece: string): void;
  /** `cutBytes` is what is left out between the two, where a line of `output` says so. */
  end(): { readonly output: string; readonly cutBytes: number };
}

/** Characters of the output of code that a model is shown. */
export const mostOutput = 32_768;

/** Keeps at most `most` characters, however many come. */
export function createKeptText(most: number): KeptText {
  const half = Math.floor(most / 2);
  let head = "";
  let tail = "";
  let cutBytes = 0;

  /** The tail grows to twice its size before it is cut, so that many small pieces do not copy it each. */
  function trim(to: number) {
    const over = tail.length - to;
    if (over <= 0) return;
    cutBytes += Buffer.byteLength(tail.slice(0, over));
    tail = tail.slice(over);
  }

  return {
    add(piece) {
      const room = half - head.length;
      head += piece.slice(0, room);
      tail += piece.slice(room);
      if (tail.length > 2 * half) trim(half);
    },
    end() {
      trim(half);
      const note = cutBytes === 0 ? "" : `\n[${cutBytes} bytes are left out here.]\n`;
      return { output: `${head}${note}${tail}`, cutBytes };
    },
  };
}
