import { memoryMb } from "./process.ts";
import { limitRow, type Row } from "./row.ts";
import { type Setting, startOpenclaw, token, withProgram } from "./setting.ts";

const sockets = 5000;

/** What an idle, logged in WebSocket holds. */
export const measureSockets = (setting: Setting): Promise<Row[]> =>
  withProgram(startOpenclaw(setting), async (ours) => {
    const open: WebSocket[] = [];
    const url = `${ours.url.replace("http", "ws")}/ws`;
    const connect = () =>
      new Promise<WebSocket>((resolve, reject) => {
        const socket = new WebSocket(url, ["openclaw.v1", `bearer.${token}`]);
        socket.onopen = () => resolve(socket);
        socket.onerror = () => reject(new Error("a WebSocket could not be opened"));
      });
    for (let n = 0; n < 200; n++) open.push(await connect());
    const before = memoryMb(ours.pid, "VmRSS");
    while (open.length < sockets + 200)
      open.push(...(await Promise.all(Array.from({ length: 100 }, connect))));
    await Bun.sleep(1000);
    const each = ((memoryMb(ours.pid, "VmRSS") - before) * 1000) / sockets;
    for (const socket of open) socket.close();
    return [limitRow(`idle WebSocket, logged in, at ${sockets}`, "kB", each, 4)];
  });
