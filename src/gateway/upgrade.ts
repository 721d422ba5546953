import type { Server } from "bun";
import type { Principal } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import type { Connection } from "./connection.ts";

const protocol = "openclaw.v1";

const words = (header: string | null) => header?.split(",").map((word) => word.trim()) ?? [];

/** Makes a WebSocket of a request to `/ws`. Throws `bad_request` when it is none. */
export function upgradeRequest(
  request: Request,
  server: Server<Connection>,
  of: { principal: Principal; sendBufferBytes: number },
): void {
  const { headers } = request;
  const asked =
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    // Bun itself would do without.
    words(headers.get("connection")?.toLowerCase() ?? null).includes("upgrade");
  const data: Connection = {
    id: crypto.randomUUID(),
    ...of,
    envelopes: false,
    minute: 0,
    messages: 0,
    work: undefined,
  };
  // Left to itself Bun answers with the first protocol that was offered, and that may be the token.
  const offered = words(headers.get("sec-websocket-protocol"));
  const answer = offered.includes(protocol) ? protocol : "";
  if (asked && server.upgrade(request, { data, headers: { "sec-websocket-protocol": answer } })) return;
  throw new AppError("bad_request", "Here is a WebSocket: connect with a WebSocket client.");
}
