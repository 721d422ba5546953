import { AppError } from "../../errors.ts";
import type { CanRead } from "../can-files.ts";
import { binaryKind, sizeText } from "./file-kind.ts";
import { type Opened, readPart, reopen, requireFile } from "./opened.ts";

const blockBytes = 65_536;
const longestLine = 65_536;

type TellLine = Parameters<CanRead["lines"]>[1];

/** Puts lines together from pieces of text, and holds no more of a line than may be told. */
function lineCollector(tell: TellLine) {
  let line = "";
  let left = 0;
  let number = 0;
  const take = (part: string) => {
    const kept = part.slice(0, longestLine - line.length);
    line += kept;
    left += part.length - kept.length;
  };
  const end = (): boolean => {
    const whole = left === 0 && line.endsWith("\r") ? line.slice(0, -1) : line;
    const cut = left;
    line = "";
    left = 0;
    number += 1;
    return tell(whole, number, cut);
  };
  return {
    /** False when no more is wanted. */
    add(text: string): boolean {
      let start = 0;
      for (let stop = text.indexOf("\n"); stop >= 0; stop = text.indexOf("\n", start)) {
        take(text.slice(start, stop));
        if (!end()) return false;
        start = stop + 1;
      }
      take(text.slice(start));
      return true;
    },
    finish() {
      if (line !== "") end();
    },
  };
}

/** Tells the lines of an opened file, block by block; throws when its first block shows that it is no text. */
export async function readLines(
  opened: Opened,
  name: string,
  signal: AbortSignal,
  tell: TellLine,
): Promise<void> {
  requireFile(opened.stat, name);
  using file = reopen(opened);
  const { size } = opened.stat;
  const decoder = new TextDecoder();
  const lines = lineCollector(tell);
  const block = Buffer.allocUnsafe(Math.min(Math.max(size + 1, 4096), blockBytes));
  for (let position = 0, ended = false; !ended;) {
    signal.throwIfAborted();
    const part = readPart({ fd: file.fd, size }, block, position);
    const bytesRead = typeof part === "number" ? part : await part;
    const bytes = block.subarray(0, bytesRead);
    const kind = position === 0 ? binaryKind(bytes) : undefined;
    if (kind !== undefined) {
      const what = `${kind}, ${sizeText(size)}`;
      throw new AppError("unsupported_media_type", `Cannot read ${name} as text: it is ${what}.`);
    }
    position += bytesRead;
    ended = bytesRead === 0 || (bytesRead < block.length && position >= size);
    if (!lines.add(decoder.decode(bytes, { stream: !ended }))) return;
  }
  lines.finish();
}
