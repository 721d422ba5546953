import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { readCounters } from "../../src/telemetry/metrics.ts";
import { operatorToken, startGateway } from "./helpers/gateway-server.ts";
import { done, said, text } from "./helpers/runs.ts";
import { openSocket } from "./helpers/socket.ts";

const piece = "x".repeat(64 * 1024);
const pieces = 256;

/** Says far more than the network between holds, one piece after the other. */
function floods() {
  const ended = Promise.withResolvers<"whole" | "cut">();
  const counted = { pieces: 0 };
  return {
    counted,
    ended: ended.promise,
    async *run() {
      let how: "whole" | "cut" = "cut";
      try {
        for (; counted.pieces < pieces; counted.pieces++) {
          yield text(piece);
          await new Promise(setImmediate);
        }
        yield said("much");
        yield done();
        how = "whole";
      } finally {
        ended.resolve(how);
      }
    },
  };
}

/** A client that writes and then reads nothing until it is told to. */
function openDeaf(port: number, request: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(request, "latin1"));
  socket.pause();
  socket.on("error", () => {});
  return socket;
}

const authorization = `Authorization: Bearer ${operatorToken}\r\n`;
const handshake = `GET /ws HTTP/1.1\r\nHost: localhost\r\n${authorization}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

/** A short text frame, masked with zeros. */
const textFrame = (payload: string) => `\x81${String.fromCharCode(0x80 | payload.length)}\0\0\0\0${payload}`;

function post(body: object, headers = "") {
  const json = JSON.stringify(body);
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${authorization}${headers}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
}

/** Resolves when a number has stopped to change. */
async function settled(read: () => number) {
  for (let last = -1; last !== read() || last === 0;) {
    last = read();
    await Bun.sleep(100);
  }
  return read();
}

test("a WebSocket that reads too slowly is closed with 1013, alone, and its turn goes on to the end", async () => {
  const flood = floods();
  await using gateway = await startGateway({ run: flood.run });
  using other = await openSocket(gateway.url, { token: operatorToken });
  const before = readCounters().totalSlowReaders;
  const deaf = openDeaf(
    gateway.port,
    handshake + textFrame('{"type":"user_message","text":"x","sessionId":"slow"}'),
  );

  expect(await flood.ended).toBe("whole");
  other.send({ type: "request", id: "r", method: "status.get" });
  expect(await other.next()).toMatchObject({ type: "response", id: "r" });
  expect(readCounters().totalSlowReaders).toBe(before + 1);

  let heard = 0;
  let tail: Uint8Array = new Uint8Array();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  deaf.on("data", (bytes: Buffer) => {
    heard += bytes.length;
    tail = Buffer.concat([tail, bytes]).subarray(-64);
  });
  deaf.on("close", () => resolve());
  deaf.resume();
  await closed;

  expect(heard).toBeLessThan(pieces * piece.length);
  expect(Buffer.from(tail).includes(Buffer.from([0x03, 0xf5]))).toBe(true);
});

test("a stream without a session is not asked for more than the client reads, and ends when it hangs up", async () => {
  const flood = floods();
  await using gateway = await startGateway({ run: flood.run });
  const deaf = openDeaf(gateway.port, post({ messages: [{ role: "user", content: "x" }], stream: true }));

  const pulled = await settled(() => flood.counted.pieces);
  deaf.destroy();

  expect(pulled).toBeGreaterThan(0);
  expect(pulled).toBeLessThan(pieces);
  expect(await flood.ended).toBe("cut");
});

test("a stream of a kept session is cut for a slow reader, and the turn goes on to the end", async () => {
  const flood = floods();
  await using gateway = await startGateway({ run: flood.run });
  const deaf = openDeaf(
    gateway.port,
    post({ messages: [{ role: "user", content: "x" }], stream: true }, "X-OpenClaw-Session-Id: slow\r\n"),
  );

  expect(await flood.ended).toBe("whole");
  const { promise: told, resolve } = Promise.withResolvers<string>();
  let tail = "";
  deaf.on("data", (bytes) => {
    tail = (tail + bytes.toString("latin1")).slice(-2000);
    if (tail.includes("read too slowly")) resolve(tail);
  });
  deaf.resume();

  expect(await told).not.toContain("[DONE]");
  deaf.destroy();
});
