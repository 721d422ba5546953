import { expect, test } from "bun:test";
import { destinationOf, readWebUrl } from "../../../src/sandbox/net/web-url.ts";

test.each([
  ["HTTP://EXAMPLE.com:80/a b#part", "http://example.com/a%20b", "example.com", 80],
  ["http:\\\\127.1\\x", "http://127.0.0.1/x", "127.0.0.1", 80],
  ["https:/example.com", "https://example.com/", "example.com", 443],
  ["http://0x7f000001:8080/", "http://127.0.0.1:8080/", "127.0.0.1", 8080],
  ["http://017700000001/", "http://127.0.0.1/", "127.0.0.1", 80],
  ["http://1.1/", "http://1.0.0.1/", "1.0.0.1", 80],
  ["http://%6c%6f%63alhost/", "http://localhost/", "localhost", 80],
  ["http://localhost./", "http://localhost./", "localhost", 80],
  ["http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "[::ffff:7f00:1]", 80],
  ["\n\thttps://exa\tmple.com/\r\n", "https://example.com/", "example.com", 443],
])("readWebUrl reads %p as the address that is asked", (text, href, host, port) => {
  const url = readWebUrl(text);
  expect(url.href).toBe(href);
  expect(destinationOf(url)).toEqual({ host, port });
});

test.each([
  "",
  "example.com",
  "//example.com",
  "/etc/passwd",
  "file:///etc/passwd",
  "FILE:/etc/passwd",
  "ftp://example.com/",
  "gopher://127.0.0.1:6379/_INFO",
  "data:text/html,hi",
  "blob:http://example.com/x",
  "javascript:alert(1)",
  "ws://example.com",
  "view-source:http://example.com",
  "jar:http://example.com!/x",
  "unix:/var/run/docker.sock",
  "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
  "http://user@example.com/",
  "http://user:pass@example.com/",
  "http://example.com@127.0.0.1/",
  "http://example.com:pass@[::1]/",
  "http://",
  "http://[::1%25lo]/",
  "http://[::1",
  "http://exa mple.com/",
  "http://a\0b/",
  "http://example.com:70000/",
  "http://1.2.3.4.5/",
  `http://example.com/${"x".repeat(10_000)}`,
  "x".repeat(1_000_000),
])("readWebUrl refuses %.60p", (text) => {
  expect(() => readWebUrl(text)).toThrow("Cannot fetch");
});

test("readWebUrl refuses a redirect to something else as what is not granted", () => {
  const base = readWebUrl("https://example.com/a/");
  expect(readWebUrl("../b", base).href).toBe("https://example.com/b");
  expect(readWebUrl("//other.com", base).href).toBe("https://other.com/");
  expect(() => readWebUrl("file:///etc/passwd", base)).toThrow("only http and https");
  expect(() => readWebUrl("http://a:b@example.com", base)).toThrow("a user name or a password");
});
