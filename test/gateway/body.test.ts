import { expect, test } from "bun:test";
import { connect } from "node:net";
import { operatorToken, startGateway } from "./helpers/gateway-server.ts";
import { sendRaw, statusOf } from "./helpers/raw.ts";

const path = "/v1/chat/completions";
const hello = { messages: [{ role: "user", content: "hello" }] };
const head = (headers: string) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nContent-Type: application/json\r\n${headers}\r\n`;

test("a body must be JSON by its Content-Type", async () => {
  await using gateway = await startGateway();
  const send = async (type: string) =>
    (
      await gateway.ask(path, {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify(hello),
      })
    ).status;

  expect(await send("application/json")).toBe(200);
  expect(await send("application/json; charset=utf-8")).toBe(200);
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "",
  ]) {
    expect([type, await send(type)]).toEqual([type, 415]);
  }
});

test("a malformed body is refused with what is wrong and where", async () => {
  await using gateway = await startGateway();
  const send = async (body: unknown) => {
    const response = await gateway.post(path, body);
    const { error } = await response.json();
    return [response.status, error.code, error.param];
  };

  expect(await send("{")).toEqual([400, "bad_request", null]);
  expect(await send("")).toEqual([400, "bad_request", null]);
  expect(await send("null")).toEqual([400, "bad_request", null]);
  expect(await send([])).toEqual([400, "bad_request", "messages"]);
  expect(await send({})).toEqual([400, "bad_request", "messages"]);
  expect(await send({ messages: [] })).toEqual([400, "bad_request", "messages"]);
  expect(await send({ messages: "x" })).toEqual([400, "bad_request", "messages"]);
  expect(await send({ messages: [{ role: "wizard", content: "x" }] })).toEqual([
    400,
    "bad_request",
    "messages.0.role",
  ]);
  expect(await send({ ...hello, temperature: "hot" })).toEqual([400, "bad_request", "temperature"]);
  expect(await send({ ...hello, n: 2 })).toEqual([400, "bad_request", "n"]);
});

test("a refusal quotes no more than the beginning of what it refuses", async () => {
  await using gateway = await startGateway();

  const response = await gateway.post(path, { ...hello, temperature: "x".repeat(60_000) });

  expect((await response.text()).length).toBeLessThan(1000);
});

test("nesting beyond a hundred levels is refused before it is parsed, brackets in texts do not count", async () => {
  await using gateway = await startGateway();
  const deep = `{"messages":${"[".repeat(1000)}${"]".repeat(1000)}}`;
  const shallow = { messages: [{ role: "user", content: `\\"${"[{".repeat(1000)}\\` }] };

  const refused = await gateway.post(path, deep);

  expect([refused.status, (await refused.json()).error.message]).toEqual([
    400,
    "The JSON is nested deeper than 100 levels.",
  ]);
  expect((await gateway.post(path, shallow)).status).toBe(200);
});

test("bytes that are not UTF-8 are refused", async () => {
  await using gateway = await startGateway();
  const body = Buffer.concat([
    Buffer.from('{"messages":[{"role":"user","content":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}]}'),
  ]);

  const answer = await sendRaw(
    gateway.port,
    Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}\r\n`)), body]),
  );

  expect(statusOf(answer)).toBe(400);
  expect(answer).toContain("UTF-8");
});

test("a body that says it is too large is refused unread", async () => {
  await using gateway = await startGateway();

  const answer = await sendRaw(gateway.port, head("Content-Length: 9999999999\r\n"));

  expect(statusOf(answer)).toBe(413);
  expect(answer).toContain('"code":"payload_too_large"');
});

test("a body that does not say how long it is, is read up to the limit", async () => {
  await using gateway = await startGateway();
  const { promise: answered, resolve } = Promise.withResolvers<string>();
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("data", (bytes) => resolve(bytes.toString()));
  socket.on("error", () => {});
  socket.write(head("Transfer-Encoding: chunked\r\n"));
  const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
  const drip = setInterval(() => socket.write(chunk), 1);

  const answer = await answered;
  clearInterval(drip);
  socket.destroy();

  expect(statusOf(answer)).toBe(413);
});

test("a chunked body within the limit is read whole", async () => {
  await using gateway = await startGateway();
  const body = JSON.stringify(hello);
  const half = Math.floor(body.length / 2);
  const chunk = (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`;

  const answer = await sendRaw(
    gateway.port,
    `${head("Transfer-Encoding: chunked\r\n")}${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`,
  );

  expect(statusOf(answer)).toBe(200);
  expect(answer).toContain("You said: hello");
});

test("a body with both Content-Length and chunks is refused", async () => {
  await using gateway = await startGateway();

  const answer = await sendRaw(
    gateway.port,
    `${head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")}0\r\n\r\n`,
  );

  expect(statusOf(answer)).toBe(400);
});
