import type { Readable, Writable } from "node:stream";
import type { ConnectOverCDPTransport } from "playwright-core";

/** A page can make an answer of any length: one longer than this ends the browser, before it fills our memory. */
const longestMessage = 48 * 1024 * 1024;

/** Speaks DevTools over two pipes of a browser: each message is JSON that ends with a NUL. */
export function createBrowserPipe(toBrowser: Writable, fromBrowser: Readable): ConnectOverCDPTransport {
  let pieces: Buffer[] = [];
  let length = 0;
  let isClosed = false;

  const close = (why?: string) => {
    if (isClosed) return;
    isClosed = true;
    pieces = [];
    toBrowser.destroy();
    fromBrowser.destroy();
    transport.onclose?.(why);
  };

  const transport: ConnectOverCDPTransport = {
    send(message) {
      if (!isClosed) toBrowser.write(`${JSON.stringify(message)}\0`);
    },
    close: () => close(),
  };

  const take = (piece: Buffer) => {
    length += piece.length;
    if (length > longestMessage) return close("The browser sent a message that is too long.");
    pieces.push(piece);
  };

  const receive = (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(0); end !== -1 && !isClosed; end = chunk.indexOf(0, from)) {
      take(chunk.subarray(from, end));
      const text = Buffer.concat(pieces).toString();
      pieces = [];
      length = 0;
      from = end + 1;
      // Not at once: what a message sets off must not run within the one before it.
      setImmediate(() => {
        if (!isClosed) transport.onmessage?.(JSON.parse(text));
      });
    }
    if (!isClosed) take(chunk.subarray(from));
  };

  fromBrowser.on("data", receive);
  fromBrowser.on("close", () => close());
  // Whoever reads or writes next learns of it by the end of the pipe.
  fromBrowser.on("error", () => close());
  toBrowser.on("error", () => close());
  return transport;
}
