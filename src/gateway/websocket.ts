import { AppError, busy } from "../errors.ts";
import { check } from "./check.ts";
import { ClientFrame, messageIdOf, readFrame } from "./client-frames.ts";
import { type Connection, giveRoom, sendEnvelope, type Socket, tellError, workOf } from "./connection.ts";
import type { GatewayParts } from "./parts.ts";
import { toPublic } from "./respond.ts";
import { createFrameActs } from "./socket-frames.ts";

const policyViolation = 1008;
/** What a frame counts beside its text while it waits to be accepted. */
const frameCharacters = 1000;

/** The WebSocket side: handlers for `Bun.serve`, and who is connected. */
export function createSockets(parts: GatewayParts) {
  const { maxConnections, messagesPerMinute, maxBodyBytes, sendBufferBytes } = parts.settings;
  const acts = createFrameActs(parts);
  const sockets = new Set<Socket>();
  /** Of the frames of one connection that wait to be accepted: at least one that is as big as a frame may be. */
  const mostWaiting = 2 * maxBodyBytes + 100 * frameCharacters;

  function mayGoOn({ data }: Socket): boolean {
    if (messagesPerMinute === 0) return true;
    const minute = Math.floor(Date.now() / 60_000);
    if (data.minute !== minute) {
      data.minute = minute;
      data.messages = 0;
    }
    return ++data.messages <= messagesPerMinute;
  }

  /** Does one thing after the other, so that messages are accepted in the order in which they came. */
  function inOrder(ws: Socket, size: number, act: () => Promise<void>, refused: (error: AppError) => void) {
    const work = workOf(ws);
    const taken = size + frameCharacters;
    if (work.waiting + taken > mostWaiting) return refused(busy());
    work.waiting += taken;
    work.tail = work.tail
      .then(act)
      .catch((error) => refused(toPublic(error, "/ws", ws.data.id)))
      .finally(() => {
        work.waiting -= taken;
      });
  }

  function say(ws: Socket, message: Parameters<typeof acts.say>[1]) {
    const { messageId } = message;
    inOrder(
      ws,
      message.text.length,
      () => acts.say(ws, message),
      (error) => {
        tellError(ws, error, messageId);
        // Clients show that somebody types from when they send until they hear that it is over.
        if (ws.data.envelopes) sendEnvelope(ws, { type: "typing_stop", inReplyToMessageId: messageId });
      },
    );
  }

  function takeFrame(ws: Socket, frame: ClientFrame) {
    const refused = (error: AppError) => tellError(ws, error);
    switch (frame.type) {
      case "user_message":
        return say(ws, frame);
      case "tool_approval_decision":
        return inOrder(ws, 0, () => acts.decide(ws, frame), refused);
      case "cancel":
        return inOrder(ws, 0, () => acts.cancel(ws, frame), refused);
      case "resume":
        return inOrder(ws, 0, () => acts.resume(ws, frame), refused);
      case "request":
        return void acts.request(ws, frame).catch((error) => refused(toPublic(error, "/ws", ws.data.id)));
      case "heartbeat":
        return;
    }
  }

  function takeText(ws: Socket, text: string) {
    const reading = readFrame(text);
    if (reading.kind === "envelope") {
      ws.data.envelopes = true;
      try {
        takeFrame(ws, check(ClientFrame, reading.value));
      } catch (error) {
        tellError(ws, toPublic(error, "/ws", ws.data.id), messageIdOf(reading.value));
      }
    } else if (reading.kind === "other_json" && ws.data.envelopes) {
      tellError(
        ws,
        new AppError("unknown_type", "This JSON is no envelope: its `type` is missing or not known."),
      );
    } else say(ws, { text, messageId: undefined, sessionId: undefined, traceparent: undefined });
  }

  const handlers: Bun.WebSocketHandler<Connection> = {
    maxPayloadLength: maxBodyBytes,
    // The limit that counts is in `send`; past this one the socket would drop frames without a word.
    backpressureLimit: sendBufferBytes + 16 * 1024 * 1024,
    perMessageDeflate: false,
    // Pings go out by themselves when nothing else does, and who does not answer is closed.
    idleTimeout: 120,
    sendPings: true,
    open(ws) {
      sockets.add(ws);
      if (sockets.size > maxConnections) ws.close(policyViolation, "too many connections");
    },
    message(ws, message) {
      if (!mayGoOn(ws)) return ws.close(policyViolation, "too many messages in a minute");
      if (typeof message === "string") return takeText(ws, message);
      tellError(ws, new AppError("unsupported", "Binary frames are not read here: send text."));
    },
    drain: giveRoom,
    close(ws) {
      sockets.delete(ws);
      giveRoom(ws);
      for (const { stop } of ws.data.work?.follows.values() ?? []) stop();
    },
  };

  return {
    handlers,
    count: () => sockets.size,
    /** Closes the connections of these principals. */
    closeOf(names: ReadonlySet<string>, reason: string) {
      for (const ws of sockets) if (names.has(ws.data.principal.name)) ws.close(policyViolation, reason);
    },
    closeAll(code: number, reason: string) {
      for (const ws of sockets) ws.close(code, reason);
    },
  };
}
