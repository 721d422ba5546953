import { afterEach, expect, test } from "bun:test";
import { openSocket, type Socket, waitBefore } from "../../../src/gateway/web/page/socket.ts";
import type { Envelope } from "../../../src/gateway/web/page/wire.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A server that does `onMessage` with each frame; `seen` resolves with the connections as they come. */
function serve(
  onMessage: (
    send: (frame: unknown) => void,
    frame: { type: string; id?: string },
    close: () => void,
  ) => void,
) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: {
      message: (socket, data) =>
        onMessage(
          (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
          JSON.parse(String(data)),
          () => socket.close(1012),
        ),
    },
  });
  open.push({ close: () => server.stop(true) });
  return `ws://127.0.0.1:${server.port}/ws`;
}

function connect(
  url: string,
  options: {
    silenceMs?: number;
    onOpen?: () => void;
    onEnvelope?: (e: Envelope) => void;
    onLost?: (code: number) => boolean;
  },
) {
  const opened = Promise.withResolvers<void>();
  const socket: Socket = openSocket({
    url,
    ...(options.silenceMs !== undefined && { silenceMs: options.silenceMs }),
    onOpen: () => (opened.resolve(), options.onOpen?.()),
    onEnvelope: options.onEnvelope ?? (() => {}),
    onLost: options.onLost ?? (() => false),
  });
  open.push(socket);
  return { socket, opened: opened.promise };
}

test("openSocket gives each request its own response, an error as a reply", async () => {
  const url = serve((send, { id }) =>
    send(
      id === "1"
        ? { type: "response", id, error: { code: "not_found", message: "None." } }
        : { type: "response", id, result: [2] },
    ),
  );
  const { socket, opened } = connect(url, {});
  await opened;
  const replies = await Promise.all([socket.request("a.b", {}), socket.request("c.d", {})]);
  expect(replies).toEqual([
    { ok: false, code: "not_found", message: "None." },
    { ok: true, result: [2] },
  ]);
});

test("openSocket leaves out what is no envelope", async () => {
  const url = serve((send) => {
    for (const frame of [
      "no JSON",
      [],
      { type: "of_a_newer_server" },
      { type: "typing_stop", cursor: 4 },
      { type: "typing_stop" },
    ])
      send(frame);
  });
  const heard = Promise.withResolvers<Envelope>();
  const { socket, opened } = connect(url, { onEnvelope: heard.resolve });
  await opened;
  socket.send({ type: "cancel", sessionId: "s" });
  expect(await heard.promise).toEqual({ type: "typing_stop" });
});

test("openSocket answers waiting requests and connects again when the connection breaks", async () => {
  let closes = 0;
  const url = serve((send, { id }, close) =>
    closes++ === 0 ? close() : send({ type: "response", id, result: "back" }),
  );
  const again = Promise.withResolvers<void>();
  const codes: number[] = [];
  let opens = 0;
  const { socket, opened } = connect(url, {
    onOpen: () => ++opens === 2 && again.resolve(),
    onLost: (code) => codes.push(code) > 0,
  });
  await opened;
  expect(await socket.request("a.b", {})).toMatchObject({ ok: false, code: "unavailable" });
  await again.promise;
  expect(codes).toEqual([1012]);
  expect(await socket.request("a.b", {})).toEqual({ ok: true, result: "back" });
});

test("openSocket gives up a connection that is silent and makes another", async () => {
  let frames = 0;
  const url = serve((send, { id }) => {
    if (++frames > 1) send({ type: "response", id, result: "back" });
  });
  const again = Promise.withResolvers<void>();
  const codes: number[] = [];
  let opens = 0;
  const { socket, opened } = connect(url, {
    silenceMs: 20,
    onOpen: () => ++opens === 2 && again.resolve(),
    onLost: (code) => codes.push(code) > 0,
  });
  await opened;
  expect(await socket.request("a.b", {})).toMatchObject({ ok: false, code: "unavailable" });
  await again.promise;
  expect(codes).toEqual([1006]);
});

test("openSocket says that nothing was sent when there is no connection", async () => {
  const { socket } = connect("ws://127.0.0.1:9/ws", {});
  expect(socket.send({ type: "cancel", sessionId: "s" })).toBeFalse();
  expect(await socket.request("a.b", {})).toMatchObject({ ok: false, code: "unavailable" });
});

test("waitBefore doubles up to ten seconds and never asks for less than half", () => {
  expect([0, 1, 2].map((attempt) => waitBefore(attempt, 1))).toEqual([500, 1000, 2000]);
  expect(waitBefore(50, 1)).toBe(10_000);
  expect(waitBefore(50, 0)).toBe(5000);
});
