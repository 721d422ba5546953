import { type Attack, rows } from "../attack.ts";

const mail = (to: string, subject = "Hello", body = "x") => ({ to, subject, body });

/** Recipients and headers that nobody allowed; the only ones who may get mail are `*@example.com`. */
const badMail: readonly (readonly [string, object])[] = [
  ["somebody else", mail("eve@evil.example")],
  ["somebody else behind a comma", mail("ada@example.com, eve@evil.example")],
  ["a second header in the recipient", mail("ada@example.com\r\nBcc: eve@evil.example")],
  ["a second header in the subject", mail("ada@example.com", "x\r\nBcc: eve@evil.example")],
  ["a line feed in the subject", mail("ada@example.com", "x\nBcc: eve@evil.example")],
  ["a return in the subject", mail("ada@example.com", "x\rBcc: eve@evil.example")],
  ["a name that is an address", mail('"eve@evil.example" <ada@example.com>')],
  ["an address in angle brackets", mail("<eve@evil.example>ada@example.com")],
  ["a route", mail("@evil.example:ada@example.com")],
  ["a percent route", mail("eve%evil.example@example.com@evil.example")],
  ["a group", mail("g: eve@evil.example;")],
  ["a comment", mail("eve@evil.example(@example.com)")],
  ["a quoted at", mail('"eve@evil.example,"@example.com,eve@evil.example')],
  ["a semicolon", mail("ada@example.com;eve@evil.example")],
  ["a NUL", mail("eve@evil.example\0@example.com")],
  ["a longer domain", mail("ada@example.com.evil.example")],
  ["a shorter name", mail("ada@evilexample.com")],
  ["letters that look alike", mail("ada@ехample.com")],
  ["an option of sendmail", mail("-oQ/tmp@evil.example")],
  ["a thousand recipients", mail(Array.from({ length: 300 }, (_, at) => `a${at}@example.com`).join(","))],
  ["nobody", mail(" , ")],
  ["two megabytes", mail("ada@example.com", "x", "x".repeat(2_000_000))],
  ["SMTP in the recipient", mail("ada@example.com>\r\nRCPT TO:<eve@evil.example")],
];

const search = (query: string) => ({ query });
const draw = (prompt: string) => ({ prompt });

export function serviceAttacks(): readonly Attack[] {
  return [
    ...rows("email", { refused: true }, badMail),
    ...rows("email", { says: /^Sent/ }, [
      [
        "the end of the mail in its body",
        mail(
          "ada@example.com",
          "x",
          "x\r\n.\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<eve@evil.example>\r\nDATA\r\nx\r\n.\r\n",
        ),
      ],
      ["a bare line feed before the end", mail("ada@example.com", "x", "x\n.\nRSET\n.\r\n")],
    ]),
    ...rows(
      "web_search",
      { refused: true },
      ["redirect", "endless", "nested", "status"].map((query) => [query, search(query)]),
    ),
    ...rows(
      "web_search",
      { never: /javascript:|file:/ },
      ["escapes", "many", "schemes"].map((query) => [query, search(query)]),
    ),
    ...rows("web_search", { refused: true }, [
      ["more than there is", { query: "x", max_results: 1e9 }],
      ["blanks", { query: "   " }],
    ]),
    ...rows(
      "image_gen",
      { refused: true },
      ["redirect", "endless", "nested", "status", "address", "svg", "html", "huge", "key"].map((prompt) => [
        prompt,
        draw(prompt),
      ]),
    ),
    ...rows("image_gen", { refused: true }, [
      ["a size that is none", { prompt: "x", size: "999999x999999" }],
      ["a size with a header", { prompt: "x", size: "1024x1024\r\nx: y" }],
    ]),
    ...rows(
      "time",
      { refused: true },
      ["../../etc/shadow", "/etc/shadow", "\0", "Europe/../../x", "posixrules\n"].map((zone) => [
        zone,
        { zone },
      ]),
    ),
  ];
}
