import type { Socket } from "node:net";
import { AppError } from "../../errors.ts";
import { dial } from "./dial.ts";
import type { OpenPass } from "./egress-passes.ts";
import { type EgressRequest, readEgressRequest, readPassword } from "./egress-request.ts";
import { forwardFields, readHead, writeHead } from "./http-head.ts";
import type { Net } from "./net.ts";

export interface ConnectionParts {
  readonly net: Net;
  readonly findPass: (password: string) => OpenPass | undefined;
  /** Time for the head of a request; for one of an answer it is `idleMs`. */
  readonly headMs: number;
  /** A connection on which nothing is said for so long is ended. */
  readonly idleMs: number;
}

const lingerMs = 2000;

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  407: "Proxy Authentication Required",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** Answers in the proxy's own name and ends the connection. */
function answer(client: Socket, status: number, text: string) {
  const body = Buffer.from(`${text}\n`);
  const fields = [
    ...(status === 407 ? [{ name: "Proxy-Authenticate", value: 'Basic realm="openclaw"' }] : []),
    { name: "Content-Type", value: "text/plain; charset=utf-8" },
    { name: "Content-Length", value: String(body.length) },
    { name: "Connection", value: "close" },
    { name: "Proxy-Connection", value: "close" },
  ];
  client.end(Buffer.concat([writeHead({ line: `HTTP/1.1 ${status} ${reasons[status]}`, fields }), body]));
  // Closed at once with something unread, the system would take the answer back.
  client.resume();
  setTimeout(() => client.destroy(), lingerMs).unref();
}

/** What one side says goes to the other, no faster than it takes it; settles when both have ended. */
function join(client: Socket, server: Socket): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const end = () => {
    client.destroy();
    server.destroy();
    closed.resolve();
  };
  client.once("close", end);
  server.once("close", end);
  client.pipe(server);
  server.pipe(client);
  if (client.destroyed || server.destroyed) end();
  return closed.promise;
}

/** Passes the heads of the answer on, without what would make the client send another request on this connection. */
async function forwardAnswer(client: Socket, server: Socket, limitMs: number): Promise<boolean> {
  for (;;) {
    const head = await readHead(server, limitMs);
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head?.line ?? "")?.[1]);
    if (head === undefined || Number.isNaN(status)) return false;
    const goesOn = status >= 100 && status < 200;
    const fields = goesOn && status !== 101 ? head.fields : forwardFields(head, status === 101);
    client.write(writeHead({ line: head.line, fields }));
    if (!goesOn || status === 101) return true;
  }
}

async function forward(client: Socket, server: Socket, request: EgressRequest, parts: ConnectionParts) {
  if (request.kind === "tunnel") {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    return join(client, server);
  }
  server.write(writeHead(request.head));
  // The body may be long, and the answer may come before its end.
  client.pipe(server);
  if (await forwardAnswer(client, server, parts.idleMs)) return join(client, server);
  answer(client, 502, "The server did not answer in HTTP.");
}

/** Connects to where the request leads, unless the rules say no; an error is told to the client. */
async function connect(client: Socket, request: EgressRequest, pass: OpenPass, { net }: ConnectionParts) {
  const gone = new AbortController();
  const leave = () => gone.abort();
  client.once("close", leave);
  const signal = AbortSignal.any([pass.signal, gone.signal]);
  try {
    return await dial(await net.find(request.to, signal), signal);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "forbidden") pass.refuse(error.message);
    answer(client, error.code === "forbidden" ? 403 : 502, error.message);
    return undefined;
  } finally {
    client.off("close", leave);
  }
}

async function serve(client: Socket, parts: ConnectionParts) {
  const head = await readHead(client, parts.headMs);
  if (head === undefined) return answer(client, 400, "This is no request that a proxy understands.");
  const pass = parts.findPass(readPassword(head) ?? "");
  if (pass === undefined) return answer(client, 407, "This proxy wants a user and a password.");
  const request = readEgressRequest(head);
  if (request === undefined) return answer(client, 400, "Ask with CONNECT or for an http:// address.");
  using place = pass.enter();
  if (place === undefined) return answer(client, 503, "There are too many connections at once.");

  const end = () => client.destroy();
  pass.signal.addEventListener("abort", end, { once: true });
  let server: Socket | undefined;
  try {
    server = await connect(client, request, pass, parts);
    if (server === undefined) return;
    const to = server;
    server.setTimeout(parts.idleMs, end);
    client.once("close", () => to.destroy());
    if (pass.signal.aborted || client.destroyed) end();
    else await forward(client, server, request, parts);
  } finally {
    pass.signal.removeEventListener("abort", end);
    // What was answered in our own name must still go out.
    server?.destroy();
  }
}

/** One client of the proxy, from its first byte to its end. Never throws: a failure ends the connection. */
export async function serveConnection(client: Socket, parts: ConnectionParts): Promise<void> {
  client.on("error", () => client.destroy());
  // Also for one that reads its refusal slowly, or never says anything.
  client.setTimeout(parts.idleMs, () => client.destroy());
  try {
    await serve(client, parts);
  } catch {
    client.destroy();
  }
}
