import { expect, test } from "bun:test";
import fc from "fast-check";
import { telegramHtml } from "../../src/channels/telegram-html.ts";
import { runs } from "../helpers/long.ts";

const allowed =
  /<(\/?)(b|i|s|pre|blockquote|code|a)(?: class="language-[\w+#.-]+"| href="https:\/\/[^"<>]*")?>/g;
const unescape = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");

/** What Telegram would show; throws for tags that it does not know, or that do not nest. */
function shown(html: string): string {
  const open: string[] = [];
  for (const [, closing, name = ""] of html.matchAll(allowed)) {
    if (closing === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  const text = html.replace(allowed, "");
  expect(text).not.toMatch(/[<>"]/);
  expect(text).not.toMatch(/&(?!(?:amp|lt|gt|quot);)/);
  return unescape(text);
}

test("telegramHtml writes what Telegram knows and escapes the rest", async () => {
  expect(await telegramHtml("**b** *i* ~~s~~ `c<d>` & <u>raw</u>")).toBe(
    "<b>b</b> <i>i</i> <s>s</s> <code>c&lt;d&gt;</code> &amp; &lt;u&gt;raw&lt;/u&gt;",
  );
  expect(await telegramHtml("# Title\n\n- one\n- two\n  - three\n\n1. a\n2. b")).toBe(
    "<b>Title</b>\n\n• one\n• two\n  • three\n\n1. a\n2. b",
  );
  expect(await telegramHtml('```ts"><b>\nif (a < b) {}\n```')).toBe(
    '<pre><code class="language-ts">if (a &lt; b) {}</code></pre>',
  );
  expect(await telegramHtml("> said\n> twice")).toBe("<blockquote>said\ntwice</blockquote>");
});

test("telegramHtml links https and shows where any other address goes", async () => {
  expect(await telegramHtml("[a](https://x.test/?q=1&r=2)")).toBe(
    '<a href="https://x.test/?q=1&amp;r=2">a</a>',
  );
  expect(await telegramHtml("[a](javascript:alert(1))")).toBe("a (javascript:alert(1))");
  expect(await telegramHtml("[a](tg://user?id=1)")).toBe("a (tg://user?id=1)");
  expect(await telegramHtml('[a](<https://x.test/"><b>)')).not.toContain('"><b>');
});

const words = [
  "**",
  "*",
  "_",
  "`",
  "```",
  "\n",
  "\n\n",
  "> ",
  "- ",
  "1. ",
  "# ",
  "[",
  "](https://a.test)",
  "](x:y)",
  "<b>",
  "</b>",
  "&amp;",
  "|",
  "|-|-|\n",
  "~~",
  "text",
  " ",
  "\\",
  "!",
  '"',
  "  ",
  "---",
  "🙂",
  "https://b.test",
];

test("telegramHtml is well-formed and fits a message, whatever was written", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 40 }),
      async (list) => {
        const markdown = list
          .join("")
          .repeat(list.length % 3 === 0 ? 40 : 1)
          .slice(0, 4096);
        const html = await telegramHtml(markdown);
        if (html !== undefined) expect(shown(html).length).toBeLessThanOrEqual(4096);
      },
    ),
    { numRuns: runs(500, 50_000) },
  );
});

test("telegramHtml takes what is made to take long in little time", async () => {
  const began = performance.now();
  for (const word of [">", "[", "*", "_a", "`", "- ", "<", "![](", "**a", "1. ", "|a", "\\[", "> - ", "&#"])
    await telegramHtml(word.repeat(4096 / word.length));
  expect(performance.now() - began).toBeLessThan(3000);
});
