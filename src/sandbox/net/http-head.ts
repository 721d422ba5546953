import type { Socket } from "node:net";

/** The head of a request or an answer: its first line and its fields as they came. */
export interface HttpHead {
  readonly line: string;
  readonly fields: readonly HttpField[];
}

export interface HttpField {
  readonly name: string;
  readonly value: string;
}

const headLimit = 65_536;
const end = "\r\n\r\n";

const isField = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\0\r\n]*)$/;

/** Strict: no bare line feed, no folded line, no space before a colon; a head that reads in two ways is none. */
function parseHead(text: string): HttpHead | undefined {
  const [line = "", ...rest] = text.split("\r\n");
  if (line === "" || /[\0-\x1f\x7f]/.test(line)) return undefined;
  const fields: HttpField[] = [];
  for (const one of rest) {
    const [, name, value] = isField.exec(one) ?? [];
    if (name === undefined || value === undefined) return undefined;
    fields.push({ name, value: value.trimEnd() });
  }
  return { line, fields };
}

/** Reads one head and leaves what follows in the socket, which is paused then. Undefined: it is none, too long, late, or the socket ended. */
export function readHead(socket: Socket, limitMs: number): Promise<HttpHead | undefined> {
  const { promise, resolve } = Promise.withResolvers<HttpHead | undefined>();
  let seen = Buffer.alloc(0);
  const timer = setTimeout(() => done(undefined), limitMs);
  const done = (head: HttpHead | undefined) => {
    clearTimeout(timer);
    socket.off("data", take);
    socket.off("end", fail);
    socket.off("close", fail);
    socket.pause();
    resolve(head);
  };
  const fail = () => done(undefined);
  const take = (block: Buffer) => {
    const from = Math.max(0, seen.length - end.length);
    seen = Buffer.concat([seen, block]);
    const at = seen.indexOf(end, from, "latin1");
    if (at < 0) return seen.length > headLimit ? fail() : undefined;
    if (at > headLimit) return fail();
    const rest = seen.subarray(at + end.length);
    done(parseHead(seen.subarray(0, at).toString("latin1")));
    if (rest.length > 0) socket.unshift(rest);
  };
  socket.on("data", take);
  socket.once("end", fail);
  socket.once("close", fail);
  socket.resume();
  return promise;
}

/** The head as bytes to send. */
export const writeHead = ({ line, fields }: HttpHead): Buffer =>
  Buffer.from([line, ...fields.map(({ name, value }) => `${name}: ${value}`), "", ""].join("\r\n"), "latin1");

export const fieldValues = (head: HttpHead, name: string): readonly string[] =>
  head.fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
]);
/** They say where a body ends and whom a request is for: no `Connection` field takes them away. */
const endToEnd: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

/** The fields that travel on. One request a connection: the other side is told so, unless the protocol is switched. */
export function forwardFields(head: HttpHead, switches: boolean): readonly HttpField[] {
  const named = fieldValues(head, "connection").flatMap((value) => value.toLowerCase().split(/[\s,]+/));
  const kept = head.fields.filter(({ name }) => {
    const lower = name.toLowerCase();
    return endToEnd.has(lower) || !(hopByHop.has(lower) || named.includes(lower));
  });
  if (!switches) return [...kept, { name: "Connection", value: "close" }];
  const upgrade = fieldValues(head, "upgrade").map((value) => ({ name: "Upgrade", value }));
  return [...kept, { name: "Connection", value: "Upgrade" }, ...upgrade];
}
