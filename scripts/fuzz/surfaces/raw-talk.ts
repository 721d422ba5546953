/** The other side has said all that it will for now. */
const quietMs = 60;
const longestMs = 1500;
const mostBytes = 1_000_000;

/** Opens a connection, sends bytes as they are, and resolves to what came back until it was quiet or closed. */
export async function talkRaw(port: number, bytes: Uint8Array): Promise<string> {
  const heard: Buffer[] = [];
  let length = 0;
  let sent = 0;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let quiet = setTimeout(resolve, longestMs);
  const late = setTimeout(resolve, longestMs);
  const write = (socket: Bun.Socket) => {
    sent += Math.max(0, socket.write(bytes.subarray(sent)));
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: write,
      drain: (each) => void (sent < bytes.length && write(each)),
      data(_, piece) {
        heard.push(Buffer.from(piece));
        length += piece.length;
        clearTimeout(quiet);
        quiet = setTimeout(resolve, length > mostBytes ? 0 : quietMs);
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  }).catch(() => undefined);
  if (socket === undefined) return "";
  await over;
  clearTimeout(quiet);
  clearTimeout(late);
  socket.terminate();
  return Buffer.concat(heard).toString("latin1");
}
