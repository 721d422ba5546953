import { expect, test } from "bun:test";
import {
  aliceToken,
  openSettings,
  operatorToken,
  startGateway,
  type TestGateway,
} from "./helpers/gateway-server.ts";
import { sendRaw, statusOf } from "./helpers/raw.ts";
import { openSocket } from "./helpers/socket.ts";

const codeOf = async (response: Response): Promise<unknown> => (await response.json()).error.code;

test("the door refuses a request without a token on every route but the open ones", async () => {
  await using gateway = await startGateway();
  const closed = [
    "/v1/models",
    "/api/status",
    "/metrics",
    "/openapi.json",
    "/ws",
    "/nothing",
    "/api/notes",
    "/auth/logout",
  ];

  for (const path of ["/", "/health", "/health/live", "/health/ready"]) {
    expect((await gateway.ask(path, { token: null })).status).toBeLessThan(400);
  }
  for (const path of closed) {
    const response = await gateway.ask(path, { token: null });
    expect([path, response.status]).toEqual([path, 401]);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toMatchObject({
      error: { type: "authentication_error", code: "unauthorized", param: null },
    });
  }
});

test("the door takes the operator's token, and refuses a wrong one and another scheme", async () => {
  await using gateway = await startGateway();

  expect((await gateway.ask("/api/status")).status).toBe(200);
  expect((await gateway.ask("/api/status", { token: `${operatorToken}x` })).status).toBe(401);
  const basic = { authorization: `Basic ${btoa(`operator:${operatorToken}`)}` };
  expect((await gateway.ask("/api/status", { token: null, headers: basic })).status).toBe(401);
});

test("a token of scope chat goes where chat may go, and nowhere else", async () => {
  await using gateway = await startGateway();

  for (const path of [
    "/v1/models",
    "/openapi.json",
    "/api/status",
    "/api/sessions",
    "/api/models",
    "/api/tools",
    "/api/approvals",
  ]) {
    expect([path, (await gateway.ask(path, { token: aliceToken })).status]).toEqual([path, 200]);
  }
  for (const path of [
    "/metrics",
    "/nothing",
    "/api/notes",
    "/api/notes/search?query=x",
    "/api/usage",
    "/v1/../metrics",
    "/v1/%2e%2e/metrics",
  ]) {
    expect([path, (await gateway.ask(path, { token: aliceToken })).status]).toEqual([path, 403]);
  }
  expect(await (await gateway.ask("/api/status", { token: aliceToken })).json()).toMatchObject({
    principal: { name: "alice", scope: "chat" },
  });
});

test("the door answers the eleventh wrong token of a minute with 429, and still lets the right one in", async () => {
  await using gateway = await startGateway();
  for (let at = 0; at < 20; at++) await gateway.ask("/api/status", { token: null });
  for (let at = 0; at < 10; at++)
    expect((await gateway.ask("/api/status", { token: `wrong-${at}` })).status).toBe(401);

  const refused = await gateway.ask("/api/status", { token: "wrong" });

  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61);
  expect((await gateway.post("/auth/login", { token: "wrong" }, { token: null })).status).toBe(429);
  expect((await gateway.ask("/api/status")).status).toBe(200);
  expect((await gateway.ask("/api/status", { token: null })).status).toBe(401);
});

test("a token in the query counts only where the setting allows it", async () => {
  await using strict = await startGateway();
  await using lenient = await startGateway({ settings: { allowQueryToken: true } });
  const path = `/api/status?token=${operatorToken}`;

  expect((await strict.ask(path, { token: null })).status).toBe(401);
  expect((await lenient.ask(path, { token: null })).status).toBe(200);
  expect((await lenient.ask("/api/status?token=wrong", { token: null })).status).toBe(401);
});

test("two Host headers, none, and a malformed one are refused", async () => {
  await using gateway = await startGateway({ settings: openSettings });
  const ask = (headers: string) => sendRaw(gateway.port, `GET /health HTTP/1.1\r\n${headers}\r\n`);

  expect(statusOf(await ask("Host: localhost\r\n"))).toBe(200);
  expect(statusOf(await ask("Host: localhost\r\nHost: evil.example\r\n"))).toBe(400);
  expect(statusOf(await ask("Host: localhost/../x\r\n"))).toBe(400);
  expect(statusOf(await ask(""))).toBe(400);
  expect(statusOf(await sendRaw(gateway.port, "GET /health HTTP/1.0\r\n\r\n"))).toBe(400);
});

test("without a token the server answers to loopback names only", async () => {
  await using gateway = await startGateway({ settings: openSettings });
  const ask = async (host: string) =>
    statusOf(await sendRaw(gateway.port, `GET /api/status HTTP/1.1\r\nHost: ${host}\r\n\r\n`));

  for (const host of [
    "localhost",
    "localhost:18789",
    "127.0.0.1:1",
    "127.8.9.1",
    "[::1]:5",
    "LOCALHOST",
    "a.localhost",
  ]) {
    expect([host, await ask(host)]).toEqual([host, 200]);
  }
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "192.168.0.1",
    "0.0.0.0",
    "[::]",
    "notlocalhost",
  ]) {
    expect([host, await ask(host)]).toEqual([host, 403]);
  }
});

test("without a token nothing is taken through a proxy, nor from a foreign page", async () => {
  await using gateway = await startGateway({
    settings: { ...openSettings, allowedOrigins: ["https://app.example"] },
  });
  const ask = async (headers: Record<string, string>) =>
    (await gateway.ask("/api/status", { token: null, headers })).status;

  expect(await ask({})).toBe(200);
  expect(await ask({ origin: gateway.url })).toBe(200);
  for (const name of ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Whatever"]) {
    expect([name, await ask({ [name]: "x" })]).toEqual([name, 403]);
  }
  for (const origin of [
    "https://evil.example",
    "null",
    "https://app.example",
    `${gateway.url}0`,
    gateway.url.replace("http", "https"),
  ]) {
    expect([origin, await ask({ origin })]).toEqual([origin, 403]);
  }
});

test("a foreign Origin may change nothing and open no socket, whatever its token; a listed one may", async () => {
  await using gateway = await startGateway({ settings: { allowedOrigins: ["https://app.example"] } });
  const post = async (origin: string) =>
    (await gateway.post("/api/sessions/s/messages", { text: "hi" }, { headers: { origin } })).status;
  const connect = (origin: string) => openSocket(gateway.url, { token: operatorToken, headers: { origin } });

  expect(await post(gateway.url)).toBe(200);
  expect(await post("https://app.example")).toBe(200);
  expect(await post("https://evil.example")).toBe(403);
  expect(await post("null")).toBe(403);
  (await connect("https://app.example")).socket.close();
  await expect(connect("https://evil.example")).rejects.toThrow("refused");
  expect((await gateway.ask("/api/status", { headers: { origin: "https://evil.example" } })).status).toBe(
    200,
  );
});

async function logIn(gateway: TestGateway, token: string, headers: Record<string, string> = {}) {
  const response = await gateway.post("/auth/login", { token }, { token: null, headers });
  return { response, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

test("a login cookie stands for its token, and changes something only from the server's own page", async () => {
  await using gateway = await startGateway();
  const { response, cookie } = await logIn(gateway, aliceToken);
  const ask = async (path: string, headers: Record<string, string>, method = "GET") =>
    (
      await gateway.ask(path, {
        token: null,
        method,
        headers: { cookie: `theme=dark; ${cookie}`, ...headers },
      })
    ).status;
  const reset = "/api/sessions/s/reset";

  expect(response.headers.get("set-cookie")).toContain("HttpOnly; SameSite=Strict");
  expect(response.headers.get("set-cookie")).not.toContain("Secure");
  expect(await ask("/api/status", {})).toBe(200);
  expect(await ask("/metrics", {})).toBe(403);
  expect(await ask(reset, { origin: gateway.url }, "POST")).toBe(404);
  expect(await ask(reset, {}, "POST")).toBe(403);
  expect(await ask(reset, { origin: "https://evil.example" }, "POST")).toBe(403);
});

test("a login cookie that was changed, or made under another token, is none", async () => {
  await using gateway = await startGateway();
  await using other = await startGateway({ settings: { authToken: "another-operator-token" } });
  const { cookie } = await logIn(gateway, operatorToken);
  const ask = async (at: TestGateway, value: string) =>
    (await at.ask("/api/status", { token: null, headers: { cookie: value } })).status;

  expect(await ask(gateway, cookie)).toBe(200);
  expect(await ask(other, cookie)).toBe(401);
  expect(await ask(gateway, cookie.replace("operator", "alice"))).toBe(401);
  expect(await ask(gateway, cookie.replace(/\.\d+\./, ".9999999999999."))).toBe(401);
  expect(await ask(gateway, `${cookie.slice(0, -1)}!`)).toBe(401);
});

test("login refuses a wrong token and sets nothing; logout takes the cookie back", async () => {
  await using gateway = await startGateway();

  const { response, cookie } = await logIn(gateway, "wrong-token");
  const out = await gateway.ask("/auth/logout", { method: "POST" });

  expect([response.status, cookie]).toEqual([401, ""]);
  expect(out.headers.get("set-cookie")).toContain("openclaw_login=; Path=/; Max-Age=0");
});

test("behind a trusted proxy with TLS the cookie is Secure and the page's origin is https", async () => {
  await using gateway = await startGateway({ settings: { trustedProxies: ["127.0.0.0/8"] } });
  await using untrusting = await startGateway();
  const forwarded = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9" };
  const origin = (at: TestGateway) => at.url.replace("http:", "https:");

  const trusted = await logIn(gateway, operatorToken, { ...forwarded, origin: origin(gateway) });
  const untrusted = await logIn(untrusting, operatorToken, { ...forwarded, origin: origin(untrusting) });

  expect(trusted.response.headers.get("set-cookie")).toEndWith("; Secure");
  expect(untrusted.response.status).toBe(403);
});

test("wrong tokens are counted for the client behind a trusted proxy, not for the proxy", async () => {
  await using gateway = await startGateway({ settings: { trustedProxies: ["127.0.0.1"] } });
  const ask = (from: string) =>
    gateway.ask("/api/status", { token: "wrong", headers: { "x-forwarded-for": `10.0.0.1, ${from}` } });
  for (let at = 0; at < 10; at++) await ask("203.0.113.9");

  expect((await ask("203.0.113.9")).status).toBe(429);
  expect((await ask("203.0.113.10")).status).toBe(401);
});

test("a socket takes the token as a subprotocol and never says it back", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { protocols: [`bearer.${operatorToken}`, "openclaw.v1"] });
  socket.send("hello");

  expect(socket.socket.protocol).toBe("openclaw.v1");
  expect(await socket.nextText()).toBe("You said: hello");
  await expect(openSocket(gateway.url, { protocols: ["bearer.wrong-token", "openclaw.v1"] })).rejects.toThrow(
    "refused",
  );
});

const handshake = (headers: string, path = "/ws") =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;

test("an upgrade without its Connection header is refused, and a subprotocol of others is not agreed to", async () => {
  await using gateway = await startGateway();
  const upgrade = "Upgrade: websocket\r\n";

  expect(statusOf(await sendRaw(gateway.port, handshake(upgrade)))).toBe(400);
  expect(statusOf(await sendRaw(gateway.port, handshake("Connection: Upgrade\r\n")))).toBe(400);
  expect((await gateway.ask("/ws")).status).toBe(400);
  const frame = "\x81\x85\x00\x00\x00\x00hello";
  const answer = await sendRaw(
    gateway.port,
    `${handshake(`${upgrade}Connection: keep-alive, Upgrade\r\nSec-WebSocket-Protocol: bearer.x, chat\r\n`)}${frame}\x88\x80\x00\x00\x00\x00`,
  );
  expect(statusOf(answer)).toBe(101);
  expect(answer).not.toContain("Sec-WebSocket-Protocol");
});

test("a text frame that is not UTF-8 closes the socket with 1007", async () => {
  await using gateway = await startGateway();
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]);

  const answer = await sendRaw(
    gateway.port,
    Buffer.concat([Buffer.from(handshake("Upgrade: websocket\r\nConnection: Upgrade\r\n")), frame]),
  );

  expect(answer).toContain("\x03\xef");
});

test("every answer tells browsers not to guess, frame or keep it", async () => {
  await using gateway = await startGateway();

  for (const path of ["/health", "/api/status", "/nothing", "/", "/v1/models"]) {
    const { headers } = await gateway.ask(path);
    expect([path, headers.get("x-content-type-options"), headers.get("x-frame-options")]).toEqual([
      path,
      "nosniff",
      "DENY",
    ]);
  }
});

test("an unknown path is 404 and a wrong method 405, naming the right one", async () => {
  await using gateway = await startGateway();

  const unknown = await gateway.ask("/nothing");
  const wrong = await gateway.ask("/v1/chat/completions");

  expect([unknown.status, await codeOf(unknown)]).toEqual([404, "not_found"]);
  expect([wrong.status, wrong.headers.get("allow"), await codeOf(wrong)]).toEqual([
    405,
    "POST",
    "method_not_allowed",
  ]);
});
