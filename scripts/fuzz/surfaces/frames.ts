import { mutateBytes, mutateJson } from "../mutate.ts";
import { type Surface, internalError } from "../surface.ts";
import { token } from "../target.ts";
import type { Random } from "../random.ts";
import { talkRaw } from "./raw-talk.ts";

const handshake = `GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

/** What clients say, to begin from. */
const said: readonly [object, ...object[]] = [
  { type: "user_message", text: "hello", messageId: "m1", sessionId: "fuzz" },
  { type: "user_message", content: "/status", sessionId: "fuzz", replyToMessageId: "m0" },
  { type: "tool_approval_decision", approvalId: "apr_0123456789abcdef", approved: true, scope: "session" },
  { type: "heartbeat" },
  { type: "cancel", messageId: "m1", sessionId: "fuzz" },
  { type: "resume", sessionId: "fuzz", after: "0" },
  { type: "request", id: "1", method: "sessions.list", params: { limit: 3 } },
  { type: "request", id: "2", method: "branches.create", params: { session: "fuzz", name: "b", at: "root" } },
  { type: "request", id: "3", method: "turns.events", params: { turn: "t", after: "0" } },
];

/** A frame as a client sends it, masked with zeros. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | length, 0, 0, 0, 0]), payload]);
  const head = Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

function payloadOf(random: Random): Uint8Array {
  const envelope = random.pick(said);
  if (random.chance(0.5)) return Buffer.from(JSON.stringify(mutateJson(envelope, random)) ?? "");
  return mutateBytes(Buffer.from(JSON.stringify(envelope)), random);
}

/** What a WebSocket that is logged in sends: JSON that is wrong, and frames that are. */
export const frames: Surface = {
  name: "frames",
  atOnce: 3,
  make(random) {
    const all = Array.from({ length: 1 + random.below(4) }, () =>
      frame(random.chance(0.9) ? 1 : random.below(16), payloadOf(random)),
    );
    const bytes = Buffer.concat(all);
    return random.chance(0.3) ? mutateBytes(bytes, random) : bytes;
  },
  async give(input, target) {
    const heard = await talkRaw(target.port(), Buffer.concat([Buffer.from(handshake), input]));
    return internalError.test(heard) ? `said ${heard.slice(-300)}` : undefined;
  },
};
