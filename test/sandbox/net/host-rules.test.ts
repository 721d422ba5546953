import { describe, expect, test } from "bun:test";
import { readAuthority, readHostRules } from "../../../src/sandbox/net/host-rules.ts";

const host = (text: string) => readAuthority(text, 443)?.host;

describe("readAuthority", () => {
  test("reads a host and its port the way a URL does", () => {
    expect(readAuthority("example.com", 443)).toEqual({ host: "example.com", port: 443 });
    expect(readAuthority("example.com:80", 443)).toEqual({ host: "example.com", port: 80 });
    expect(readAuthority("[::1]:8080", 443)).toEqual({ host: "[::1]", port: 8080 });
    expect(readAuthority("[2A00::1]", 443)).toEqual({ host: "[2a00::1]", port: 443 });
  });

  test.each([
    ["127.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["0177.0.0.1", "127.0.0.1"],
    ["127.0.0.1.", "127.0.0.1"],
    ["%31%32%37.0.0.1", "127.0.0.1"],
    ["127。0。0。1", "127.0.0.1"],
    ["①②⑦.⓪.⓪.①", "127.0.0.1"],
    ["LOCALHOST.", "localhost"],
    ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
    ["exa\u00ADmple.com", "example.com"],
    ["bücher.de", "xn--bcher-kva.de"],
    ["еxample.com", "xn--xample-2of.com"],
  ])("reads %s as %s", (text, plain) => {
    expect(host(text)).toBe(plain);
  });

  test.each([
    "",
    " ",
    "a b",
    "user@example.com",
    "user:pass@127.0.0.1",
    "example.com/path",
    "example.com?x",
    "example.com#x",
    "example.com\\@127.0.0.1",
    "http://example.com",
    "example.com:99999",
    "example.com:-1",
    "[::1",
    "[fe80::1%25eth0]",
    "[::1]evil",
    "1.2.3.4.5",
    "999.1.1.1",
    "a\r\nb",
    "a\0b",
    "%00",
    "x".repeat(301),
  ])("refuses %p", (text) => {
    expect(readAuthority(text, 443)).toBeUndefined();
  });
});

describe("readHostRules", () => {
  const rules = readHostRules(["example.com", "*.example.org", "10.0.0.5:8443", "git.test:22", "Bücher.de"]);

  test("lets what a pattern names through and nothing else", () => {
    for (const [name, port] of [
      ["example.com", 443],
      ["example.com", 8080],
      ["a.example.org", 443],
      ["a.b.example.org", 443],
      ["10.0.0.5", 8443],
      ["xn--bcher-kva.de", 443],
    ] as const) {
      expect(rules.fault(name, port)).toBeUndefined();
    }
    for (const [name, port] of [
      ["www.example.com", 443],
      ["example.org", 443],
      ["badexample.org", 443],
      ["example.com.evil.net", 443],
      ["10.0.0.5", 443],
      ["10.0.0.6", 8443],
    ] as const) {
      expect(rules.fault(name, port)).toContain("OPENCLAW_ALLOWED_HOSTS");
    }
  });

  test("lets every host through when there are no patterns, but no metadata service by its name", () => {
    const all = readHostRules([]);
    expect(all.fault("example.com", 443)).toBeUndefined();
    expect(all.fault("metadata.google.internal", 80)).toContain("metadata");
    expect(readHostRules(["metadata.google.internal"]).fault("metadata.google.internal", 80)).toContain(
      "metadata",
    );
  });

  test("refuses ports of other services unless a pattern names them", () => {
    expect(rules.fault("example.com", 25)).toContain("port 25");
    expect(rules.fault("git.test", 22)).toBeUndefined();
    expect(readHostRules([]).fault("example.com", 6667)).toContain("port 6667");
    expect(readHostRules([]).fault("example.com", 0)).toBeString();
  });

  test.each(["*", "http://example.com", "*.*.com", "a b", "example.com/x", "*.", "user@host", "a:b"])(
    "says that %p is no pattern",
    (pattern) => {
      expect(() => readHostRules([pattern])).toThrow("OPENCLAW_ALLOWED_HOSTS: cannot use");
    },
  );
});
