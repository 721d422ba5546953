/** Follows a JSON text piece by piece, without parsing it. */
export interface JsonScan {
  push(piece: string): void;
  /** True from the moment when the object or list that the text began with is closed. */
  closed(): boolean;
}

/** Tells when a JSON object that comes in pieces is whole. */
export function createJsonScan(): JsonScan {
  let depth = 0;
  let begun = false;
  let inString = false;
  let escaped = false;
  return {
    push(piece) {
      for (let at = 0; at < piece.length; at++) {
        const char = piece.charCodeAt(at);
        if (inString) {
          if (escaped) escaped = false;
          else if (char === 92) escaped = true;
          else if (char === 34) inString = false;
        } else if (char === 34) inString = true;
        else if (char === 123 || char === 91) {
          depth++;
          begun = true;
        } else if (char === 125 || char === 93) depth--;
      }
    },
    closed: () => begun && depth <= 0,
  };
}
