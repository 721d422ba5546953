import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/**
 * A small regular file as text, less the line end that editors and `echo` leave. Throws for anything else, for more
 * than `maxBytes` and for bytes that are not UTF-8.
 */
export function readText(path: string, maxBytes = 1_048_576): string {
  // Not blocking: opening a FIFO that nobody writes to would wait for ever.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = checkRegular(fd);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, and at most ${maxBytes} are read`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(fd)).replace(/\r?\n$/, "");
  } finally {
    closeSync(fd);
  }
}

function checkRegular(fd: number) {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new Error("it is no regular file");
  return stat;
}
