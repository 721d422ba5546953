import { connect } from "node:net";

/** Sends bytes (or a text of them) as they are and resolves to all that came back until the server was silent for a moment or hung up. */
export function sendRaw(port: number, request: string | Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const bytes = typeof request === "string" ? Buffer.from(request, "latin1") : request;
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  const deadline = setTimeout(() => reject(new Error("The server did not answer in 15 s.")), 15_000);
  let received = "";
  const finish = () => {
    clearTimeout(deadline);
    socket.destroy();
    resolve(received);
  };
  socket.on("data", (piece) => {
    received += piece.toString("latin1");
    const [head = "", body] = received.split("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    if (body !== undefined && length !== undefined && body.length >= Number(length)) finish();
  });
  socket.on("close", finish);
  socket.on("error", finish);
  return promise;
}

export const statusOf = (answer: string) => Number(answer.split(" ")[1]);
