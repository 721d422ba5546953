import * as v from "valibot";

/** An envelope of the server, as far as a terminal shows it. */
export const Envelope = v.looseObject({
  type: v.string(),
  text: v.optional(v.string(), ""),
  inReplyToMessageId: v.optional(v.string()),
  sessionId: v.optional(v.string()),
  code: v.optional(v.string()),
  toolName: v.optional(v.string()),
  argumentsPreview: v.optional(v.string()),
  resultStatus: v.optional(v.string()),
  durationMs: v.optional(v.number()),
  approvalId: v.optional(v.string()),
  pattern: v.optional(v.string()),
  reason: v.optional(v.string()),
  id: v.optional(v.string()),
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
});
export type Envelope = v.InferOutput<typeof Envelope>;

export interface Connection extends Disposable {
  send(envelope: object): void;
  /** The next envelope. Throws, with a sentence that says why, when the connection is gone. */
  receive(): Promise<Envelope>;
}

const openMs = 10_000;
/** Envelopes that may wait for this program, for example while it asks a person. */
const mostWaiting = 10_000;

// The types of the DOM, which the chat page needs, hide that Bun takes headers here.
const SocketWithHeaders = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => WebSocket;

/** Opens the socket of a server. Throws with a sentence that says what to do. */
export async function connect(url: string, token: string | undefined): Promise<Connection> {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const socket = new SocketWithHeaders(`${url.replace(/^http/i, "ws")}/ws`, { ...(headers && { headers }) });
  const waiting: Envelope[] = [];
  let gone: string | undefined;
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    const envelope = readEnvelope(data);
    if (envelope) waiting.push(envelope);
    if (waiting.length > mostWaiting) socket.close();
    wake();
  };
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onclose = ({ code, reason }) => {
    gone = `The server closed the connection (${code}${reason ? `, ${reason}` : ""}).`;
    opened.reject(new Error(gone));
    wake();
  };
  const timer = setTimeout(() => opened.reject(new Error("time-out")), openMs);
  try {
    await opened.promise;
  } catch {
    socket.close();
    throw new Error(await explainRefusal(url, headers));
  } finally {
    clearTimeout(timer);
  }
  return {
    send: (envelope) => socket.send(JSON.stringify(envelope)),
    async receive() {
      for (;;) {
        const envelope = waiting.shift();
        if (envelope) return envelope;
        if (gone !== undefined) throw new Error(gone);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    [Symbol.dispose]: () => socket.close(1000),
  };
}

function readEnvelope(data: unknown): Envelope | undefined {
  try {
    return v.parse(Envelope, JSON.parse(String(data)));
  } catch {
    return undefined;
  }
}

/** A refused upgrade does not tell its status to a WebSocket: a plain request does. */
async function explainRefusal(url: string, headers: Record<string, string> | undefined): Promise<string> {
  try {
    const signal = AbortSignal.timeout(openMs);
    const { status } = await fetch(`${url}/api/status`, {
      ...(headers && { headers }),
      signal,
      redirect: "error",
    });
    if (status === 401)
      return `The server at ${url} wants a token: set OPENCLAW_AUTH_TOKEN to the one it was started with.`;
    return `The server at ${url} does not open a WebSocket (its status page answers ${status}).`;
  } catch {
    return `No server answers at ${url}: start one with openclaw, or set OPENCLAW_BASE_URL.`;
  }
}
