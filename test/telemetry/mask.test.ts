import { describe, expect, test } from "bun:test";
import { setUpLog, log } from "../../src/telemetry/log.ts";
import { hideSecrets, maskedJson, maskSecrets } from "../../src/telemetry/mask.ts";

const pem = (end: string) => `-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n${end}`;

describe("maskSecrets", () => {
  test.each([
    ["Authorization: Bearer abc.def-ghi_jkl", "abc.def"],
    ["authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcj"],
    ["key sk-proj-abcdefghijklmnop1234 here", "abcdefgh"],
    [`sk-ant-${"a1b2c3d4".repeat(4)}`, "a1b2c3d4"],
    ["ghp_abcdefghijklmnopqrstuvwxyz012345", "abcdefgh"],
    ["github_pat_11ABCDEFG0abcdefghijkl_mnop", "ABCDEFG"],
    ["glpat-abcdefghijklmnopqrst", "abcdefgh"],
    ["xoxb-123456789012-abcdefghijkl", "123456789012"],
    ["AKIAIOSFODNN7EXAMPLE", "IOSFODNN"],
    ["AIzaSyA1234567890abcdefghijklmnopqrstuv", "SyA1234"],
    ["123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "AAabcdef"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_ghi", "eyJzdWI"],
    [pem("-----END RSA PRIVATE KEY-----"), "MIIEow"],
    [pem(""), "IBAAKC"],
    ["password=hunter2", "hunter2"],
    ["PGPASSWORD='hunter 2'", "hunter"],
    ["AWS_SECRET_ACCESS_KEY = abc/def+ghi", "abc/def"],
    ['{"api_key":"a\\"b c","n":1}', "b c"],
    ['{\\"password\\":\\"x y\\",\\"n\\":1}', "x y"],
    ["https://host/path?access_token=abc123&x=1", "abc123"],
    ["mysql --password hunter2 --user root", "hunter2"],
    ["git clone https://user:p%40ss@host/x.git", "p%40ss"],
    ["git clone https://user:p@ss-word@host/x.git", "ss-word"],
    ["postgres://user:p?a#ss-word@host/x and more", "ss-word"],
    ["https://me@example.com:p@ss@word@host/x@y", "word"],
    ["git clone https://abcdefghijklmnopqrst@host/x.git", "abcdefghij"],
    ["Cookie: openclaw_login=operator.1.abc; b=c", "operator.1"],
  ])("hides the secret of %j", (text, secret) => {
    expect(maskSecrets(text)).not.toContain(secret);
    expect(maskSecrets(text)).toContain("***");
  });

  test.each([
    "max_tokens: 100, tokens=5",
    "The token is wrong. Use the value of OPENCLAW_AUTH_TOKEN.",
    "ssh://git@github.com/a/b and a@example.com",
    "ssh://git@host:22/a/b@c and https://host:8080/x@y",
    "sk-short, eyJ, https://host:8080/path",
    '{"path":"src/a.ts","from":1}',
    "",
  ])("leaves %j as it is", (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  test("hides what it was told of, however it is spelled, and nothing short", () => {
    hideSecrets(['odd "value"/with+signs', "short", "longer-secret-of-ours", "longer-secret"]);
    for (const spelled of [
      'odd "value"/with+signs',
      "odd%20%22value%22%2Fwith%2Bsigns",
      '\\"value\\"/with+signs',
    ])
      expect(maskSecrets(`<odd ${spelled}>`.replace("odd odd", "odd"))).not.toContain("signs");
    expect(maskSecrets("short longer-secret-of-ours longer-secret.")).toBe("short *** ***.");
  });

  test("takes a time that is linear in the text, whatever stands in it", () => {
    const pieces = [
      "://",
      "://a:",
      "eyJaaaaaaaa-",
      "eyJaaaaaaaa.",
      "bearer ",
      "bearer  ",
      'token="\\',
      "--token ",
    ];
    const more = [
      "-",
      "--a",
      "\\",
      '"',
      "-----BEGIN ",
      "sk-",
      "cookie: ",
      "12345678:AA",
      "password",
      "pwd='",
      "a.b.",
    ];
    for (const piece of [...pieces, ...more]) {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      const begin = performance.now();
      maskSecrets(text);
      // Ordinary text takes about 10 ms; what is quadratic would take minutes.
      expect([piece, performance.now() - begin < 10_000]).toEqual([piece, true]);
    }
  });
});

describe("maskedJson", () => {
  test("hides by the name of a field too, and is JSON whatever it hides", () => {
    const value = {
      password: "x",
      dbPassword: "y",
      tokens: 5,
      note: 'say "password": "abc"',
      list: ["Bearer abcdefgh"],
    };
    expect(JSON.parse(maskedJson(value))).toEqual({
      password: "***",
      dbPassword: "***",
      tokens: 5,
      note: 'say "password": "***"',
      list: ["Bearer ***"],
    });
  });
});

describe("log", () => {
  test("hides secrets in its lines, for programs and for people", () => {
    const lines: string[] = [];
    for (const pretty of [false, true]) {
      setUpLog({ level: "info", pretty, sink: (line) => lines.push(line) });
      log.info("asked with Bearer abcdefgh", {
        url: "https://u:hunter2@host/",
        error: new Error("token=hunter2"),
      });
    }
    setUpLog({ level: "info", pretty: false, sink: (line) => process.stderr.write(line) });
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toMatch(/hunter2|abcdefgh/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      message: "asked with Bearer ***",
      url: "https://***@host/",
    });
  });
});
