import { describe, expect, test } from "bun:test";
import { readEgressRequest, readPassword } from "../../../src/sandbox/net/egress-request.ts";
import { forwardFields, type HttpHead } from "../../../src/sandbox/net/http-head.ts";

const head = (line: string, ...fields: (readonly [string, string])[]): HttpHead => ({
  line,
  fields: fields.map(([name, value]) => ({ name, value })),
});

describe("readEgressRequest", () => {
  test("reads a tunnel", () => {
    expect(readEgressRequest(head("CONNECT Example.com:443 HTTP/1.1"))).toEqual({
      kind: "tunnel",
      to: { host: "example.com", port: 443 },
    });
    expect(readEgressRequest(head("CONNECT [::1]:8443 HTTP/1.1"))?.to).toEqual({ host: "[::1]", port: 8443 });
    expect(readEgressRequest(head("CONNECT 2130706433:80 HTTP/1.0"))?.to.host).toBe("127.0.0.1");
  });

  test("makes a request of one in absolute form: the path as it is, the host of the address, nothing of the proxy's", () => {
    const request = readEgressRequest(
      head(
        "POST http://Example.com:8080/a/../%2e?b=%41 HTTP/1.1",
        ["Host", "127.0.0.1"],
        ["Proxy-Authorization", "Basic abc"],
        ["Proxy-Connection", "keep-alive"],
        ["Connection", "X-Secret, content-length"],
        ["X-Secret", "1"],
        ["Content-Length", "3"],
        ["TE", "trailers"],
        ["Upgrade", "h2c"],
        ["X-Kept", "2"],
      ),
    );
    expect(request).toEqual({
      kind: "request",
      to: { host: "example.com", port: 8080 },
      head: head(
        "POST /a/../%2e?b=%41 HTTP/1.1",
        ["Host", "example.com:8080"],
        ["Content-Length", "3"],
        ["X-Kept", "2"],
        ["Connection", "close"],
      ),
    });
    expect(readEgressRequest(head("GET http://example.com?x HTTP/1.1"))).toMatchObject({
      head: { line: "GET /?x HTTP/1.1", fields: [{ name: "Host", value: "example.com" }, {}] },
    });
  });

  test("lets a WebSocket be opened", () => {
    const request = readEgressRequest(
      head(
        "GET http://example.com/ws HTTP/1.1",
        ["Connection", "keep-alive, Upgrade"],
        ["Upgrade", "websocket"],
      ),
    );
    expect(request).toMatchObject({
      head: {
        fields: [
          { name: "Host" },
          { name: "Connection", value: "Upgrade" },
          { name: "Upgrade", value: "websocket" },
        ],
      },
    });
  });

  test.each([
    "",
    "GET / HTTP/1.1",
    "GET /http://example.com HTTP/1.1",
    "GET https://example.com/ HTTP/1.1",
    "GET ftp://example.com/ HTTP/1.1",
    "GET file:///etc/passwd HTTP/1.1",
    "GET http:///etc HTTP/1.1",
    "GET http://user@example.com/ HTTP/1.1",
    "GET http://a:b@127.0.0.1/ HTTP/1.1",
    "GET http:\\\\example.com\\ HTTP/1.1",
    "GET http://example.com\\@127.0.0.1/ HTTP/1.1",
    "GET http://example.com/#part HTTP/1.1",
    "GET http://example.com/ HTTP/2.0",
    "GET http://example.com/",
    "GET  http://example.com/ HTTP/1.1",
    "G(T http://example.com/ HTTP/1.1",
    "CONNECT example.com HTTP/1.1",
    "CONNECT example.com: HTTP/1.1",
    "CONNECT :443 HTTP/1.1",
    "CONNECT http://example.com:443 HTTP/1.1",
    "CONNECT a@example.com:443 HTTP/1.1",
    "CONNECT example.com:443/x HTTP/1.1",
    "CONNECT example.com:443@127.0.0.1:80 HTTP/1.1",
    "CONNECT example.com:99999 HTTP/1.1",
    "connect example.com:443 HTTP/1.1",
  ])("refuses %p", (line) => {
    expect(readEgressRequest(head(line))).toBeUndefined();
  });
});

test("readPassword takes one Basic authorization", () => {
  const sent = (...values: string[]) =>
    readPassword(head("GET / HTTP/1.1", ...values.map((value) => ["Proxy-Authorization", value] as const)));
  expect(sent("Basic YTpi")).toBe("YTpi");
  expect(sent("basic   YTpi=")).toBe("YTpi=");
  for (const values of [
    [],
    ["Basic"],
    ["Bearer x"],
    ["Basic a b"],
    ["Basic YTpi", "Basic YTpi"],
    ["Basic é"],
  ]) {
    expect(sent(...values)).toBeUndefined();
  }
});

test("forwardFields tells a client not to ask again on this connection, whatever the server says", () => {
  const answer = head(
    "HTTP/1.1 200 OK",
    ["Connection", "Upgrade, keep-alive"],
    ["Upgrade", "h2c"],
    ["Keep-Alive", "9"],
  );
  expect(forwardFields(answer, false)).toEqual([{ name: "Connection", value: "close" }]);
  expect(forwardFields(answer, true)).toEqual([
    { name: "Connection", value: "Upgrade" },
    { name: "Upgrade", value: "h2c" },
  ]);
});
