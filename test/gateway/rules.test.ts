import { expect, test } from "bun:test";
import { isLoopbackHost } from "../../src/gateway/host.ts";
import { createLoginCookies } from "../../src/gateway/login-cookie.ts";
import { isNestedDeeper } from "../../src/llm/nesting.ts";
import { clientKey, createProxies } from "../../src/gateway/proxies.ts";
import { createThrottle } from "../../src/gateway/throttle.ts";
import { createTokens, operator } from "../../src/gateway/tokens.ts";

test("isNestedDeeper counts levels outside of strings only", () => {
  expect(isNestedDeeper("[[[]]]", 3)).toBe(false);
  expect(isNestedDeeper("[[[]]]", 2)).toBe(true);
  expect(isNestedDeeper('["[[[", {"a[": "\\"[[["}]', 2)).toBe(false);
  expect(isNestedDeeper('["\\\\", [[]]]', 2)).toBe(true);
  expect(isNestedDeeper('["unterminated [[[[', 2)).toBe(false);
  expect(isNestedDeeper("[][][][]", 1)).toBe(false);
});

test("isLoopbackHost knows names and addresses of this machine", () => {
  for (const host of ["localhost", "127.0.0.1:80", "[::1]", "[::ffff:127.0.0.1]:1"])
    expect(isLoopbackHost(host)).toBe(true);
  for (const host of ["example.com", "10.0.0.1", "[fe80::1]", "127.0.0.1.example.com"])
    expect(isLoopbackHost(host)).toBe(false);
});

const forwarded = (chain: string) => new Headers({ "x-forwarded-for": chain, "x-forwarded-proto": "https" });

test("createProxies believes only the proxies it trusts, and of their chain the last foreign hop", () => {
  const peerOf = createProxies(["10.0.0.0/8", "::1"]);

  expect(peerOf("203.0.113.1", forwarded("198.51.100.7"))).toEqual({ address: "203.0.113.1", secure: false });
  expect(peerOf("10.1.1.1", forwarded("1.2.3.4, 198.51.100.7, 10.2.2.2"))).toEqual({
    address: "198.51.100.7",
    secure: true,
  });
  expect(peerOf("::ffff:10.1.1.1", forwarded("198.51.100.7")).address).toBe("198.51.100.7");
  expect(peerOf("10.1.1.1", forwarded("<script>")).address).toBe("10.1.1.1");
  expect(peerOf("10.1.1.1", new Headers())).toEqual({ address: "10.1.1.1", secure: false });
});

test("createProxies refuses what is no address, naming the setting", () => {
  expect(() => createProxies(["proxy.local"])).toThrow("OPENCLAW_TRUSTED_PROXIES");
});

test("clientKey takes all of a /64 for one client", () => {
  expect(clientKey("2001:db8::1")).toBe(clientKey("2001:db8::ffff"));
  expect(clientKey("2001:db8::1")).not.toBe(clientKey("2001:db8:0:1::1"));
  expect(clientKey("::ffff:192.0.2.1")).toBe(clientKey("192.0.2.1"));
});

test("createThrottle forgets after its window, and forgets the oldest client when there are too many", () => {
  let now = 1000;
  const throttle = createThrottle({ limit: 2, windowMs: 100, mostClients: 2, now: () => now });
  const thrice = (client: string) => {
    for (let at = 0; at < 3; at++) throttle.wrong(client);
  };

  expect(() => thrice("a")).toThrow(expect.objectContaining({ code: "rate_limited", retryAfterMs: 100 }));
  now += 100;
  throttle.wrong("a");
  throttle.wrong("a");
  throttle.wrong("b");
  throttle.wrong("c");
  expect(() => throttle.wrong("a")).not.toThrow();
});

test("createTokens finds whose token it is, and nobody for what is nearly one", () => {
  const tokens = createTokens("operator-secret", [{ name: "alice", token: "alice-secret" }]);

  expect(tokens.find("operator-secret")).toEqual(operator);
  expect(tokens.find("alice-secret")).toEqual({ name: "alice", scope: "chat" });
  for (const wrong of ["", "operator-secre", "operator-secret ", "Alice-secret"])
    expect(tokens.find(wrong)).toBeUndefined();
});

test("createLoginCookies lets a cookie run out, and a name with dots keep its own", () => {
  let now = 1_700_000_000_000;
  const tokens = createTokens("operator-secret", [{ name: "a.b", token: "dotted-secret" }]);
  const cookies = createLoginCookies(tokens, () => now);
  const made = cookies.make({ name: "a.b", scope: "chat" }, true)?.split(";")[0] ?? "";

  expect(cookies.read(made)).toEqual({ name: "a.b", scope: "chat" });
  now += 31 * 24 * 60 * 60 * 1000;
  expect(cookies.read(made)).toBeUndefined();
});
