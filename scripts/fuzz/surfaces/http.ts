import { mutateBytes } from "../mutate.ts";
import { internalError, type Surface } from "../surface.ts";
import { token } from "../target.ts";
import { talkRaw } from "./raw-talk.ts";

const login = `Authorization: Bearer ${token}\r\n`;
const hidden = "GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n";
const json = '{"text":"hi"}';

const post = (headers: string, body: string) =>
  `POST /api/sessions/fuzz/messages HTTP/1.1\r\nHost: localhost\r\n${login}Content-Type: application/json\r\n${headers}\r\n${body}`;
const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** Requests that two readers may cut in two places: behind them lies one that only the careless see. */
const smuggling: readonly string[] = [
  post(`Content-Length: ${json.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${hidden}`),
  post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `0\r\n\r\n${hidden}`),
  post("Content-Length: 0\r\nContent-Length: 60\r\n", hidden),
  post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${hidden}`),
  post("Transfer-Encoding : chunked\r\n", `0\r\n\r\n${hidden}`),
  post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${hidden}`),
  post("Content-Length: +0\r\n", hidden),
  post("Content-Length: 0x0\r\n", hidden),
  post("Content-Length: 0,60\r\n", hidden),
  post("X: y\r\n Content-Length: 0\r\n", hidden),
];

/** What is well formed, to begin from. */
const corpus: readonly [string, ...string[]] = [
  `GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  `GET /api/sessions?limit=2 HTTP/1.1\r\nHost: localhost\r\n${login}\r\n`,
  post(`Content-Length: ${json.length}\r\n`, json),
  post("Transfer-Encoding: chunked\r\n", chunked(json)),
  `OPTIONS /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
  `GET /ws HTTP/1.1\r\nHost: localhost\r\n${login}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: openclaw.v1\r\n\r\n`,
  `POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"token":"abc"}`,
  `GET /chat HTTP/1.1\r\nHost: localhost\r\nCookie: openclaw=1.2.3; a="b\r\nAccept-Encoding: gzip, br\r\n\r\n`,
  `GET /api/turns/x/events HTTP/1.1\r\nHost: localhost\r\n${login}Last-Event-ID: 3\r\n\r\n`,
];

const isSmuggling = new Set(smuggling);

/** Bytes on a bare connection: request lines, headers, chunks, and what a proxy would read in another way. */
export const http: Surface = {
  name: "http",
  atOnce: 3,
  make(random) {
    if (random.chance(0.05)) return Buffer.from(smuggling[random.below(smuggling.length)] ?? "", "latin1");
    const begun = random.chance(0.3) ? (random.pick(smuggling) ?? "") : random.pick(corpus);
    return mutateBytes(Buffer.from(begun, "latin1"), random);
  },
  async give(input, target) {
    const heard = await talkRaw(target.port(), input);
    if (/HTTP\/1\.1 500/.test(heard) || internalError.test(heard)) return `answered ${heard.slice(0, 300)}`;
    // Without a login the hidden request is told 401: that it is told anything is the fault.
    const answers = heard.match(/HTTP\/1\.1 \d+/g) ?? [];
    if (
      isSmuggling.has(Buffer.from(input).toString("latin1")) &&
      answers.length > 1 &&
      answers[0]?.includes(" 2")
    )
      return `answered a request and one that it hid: ${answers.join(", ")}`;
    return undefined;
  },
};
