import type { Token, Tokens } from "marked";
import { isSeen, longestMessage } from "./telegram-pieces.ts";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => entities[sign] ?? "");

/** Text of a model nested deeper than a person writes is shown as it is. */
const mostNesting = 16;

const tag = (name: string, inner: string) => (inner === "" ? "" : `<${name}>${inner}</${name}>`);

/** The line ends that stood behind a block: two blocks are as far apart as they were. */
const endOf = (raw: string) => /\n*$/.exec(raw)?.[0] ?? "";

function link(href: string, inner: string): string {
  if (/^https:\/\//i.test(href) && URL.canParse(href))
    return `<a href="${escape(href)}">${inner || escape(href)}</a>`;
  return inner === escape(href) ? inner : `${inner} (${escape(href)})`;
}

/** What is inside a line. Links are not nested: Telegram takes the inner one for the end of the outer. */
function inline(tokens: readonly Token[], depth: number, inLink = false): string {
  if (depth > mostNesting) return escape(tokens.map(({ raw }) => raw).join(""));
  const inner = (token: Token) => inline("tokens" in token ? (token.tokens ?? []) : [], depth + 1, inLink);
  return tokens
    .map((token) => {
      switch (token.type) {
        case "strong":
          return tag("b", inner(token));
        case "em":
          return tag("i", inner(token));
        case "del":
          return tag("s", inner(token));
        case "codespan":
          return tag("code", escape((token as Tokens.Codespan).text));
        case "br":
          return "\n";
        case "escape":
          return escape((token as Tokens.Escape).text);
        case "link": {
          const { href, tokens: label } = token as Tokens.Link;
          return inLink ? escape(token.raw) : link(href, inline(label, depth + 1, true));
        }
        case "image": {
          const { href, text } = token as Tokens.Image;
          return inLink ? escape(text) : link(href, escape(text));
        }
        case "text":
          return "tokens" in token && token.tokens !== undefined
            ? inner(token)
            : escape((token as Tokens.Text).text);
        default:
          return escape(token.raw);
      }
    })
    .join("");
}

function list({ items, ordered, start }: Tokens.List, depth: number): string {
  let number = start === "" ? 1 : start;
  return items
    .map((item) => {
      const mark = ordered ? `${number++}. ` : "• ";
      const box = item.task ? `[${item.checked === true ? "x" : " "}] ` : "";
      const text = blocks(
        item.tokens.filter(({ type }) => type !== "checkbox"),
        depth + 1,
      ).replace(/\n+$/, "");
      const indented = text.replace(/\n(?=[^\n])/g, "\n  ");
      return `${mark}${box}${/<pre>/.test(text) ? text : indented}${endOf(item.raw)}`;
    })
    .join("");
}

function code({ lang, text }: Tokens.Code): string {
  const language = /^[\w+#.-]{1,32}/.exec(lang ?? "")?.[0];
  const inner = language === undefined ? "" : ` class="language-${language}"`;
  return `<pre><code${inner}>${escape(text)}</code></pre>`;
}

function block(token: Token, depth: number): string {
  const inner = () => inline("tokens" in token ? (token.tokens ?? []) : [], depth + 1);
  switch (token.type) {
    case "space":
      return token.raw;
    case "heading":
      return tag("b", inner()) + endOf(token.raw);
    case "paragraph":
      return inner() + endOf(token.raw);
    case "text":
      return inline([token], depth + 1) + endOf(token.raw);
    case "code":
      return code(token as Tokens.Code) + endOf(token.raw);
    case "blockquote": {
      const text = blocks((token as Tokens.Blockquote).tokens, depth + 1).trim();
      // A quote in a quote is none that Telegram knows.
      return tag("blockquote", text.replace(/<\/?blockquote>/g, "")) + endOf(token.raw);
    }
    case "list":
      return list(token as Tokens.List, depth) + endOf(token.raw);
    case "hr":
      return `———${endOf(token.raw)}`;
    case "table":
      return tag("pre", escape(token.raw.replace(/\n+$/, ""))) + endOf(token.raw);
    default:
      return escape(token.raw);
  }
}

function blocks(tokens: readonly Token[], depth: number): string {
  if (depth > mostNesting) return escape(tokens.map(({ raw }) => raw).join(""));
  return tokens.map((token) => block(token, depth)).join("");
}

/** Deeper than this the reader of Markdown would take its time; nobody writes so. */
const tooDeep = /(?:^|\n)[ \t]*(?:[>*+-][ \t]*){24}/;

/** What is left of the HTML without its tags: that counts for Telegram. */
const shown = (html: string) => html.replace(/<[^>]*>/g, "").replace(/&[a-z]+;/g, "&");

/**
 * Markdown of a model as the HTML that Telegram takes: `b i s code pre a blockquote`, with everything else escaped and
 * only https linked; raw HTML is shown as it stands. Undefined when it is better shown as plain text.
 */
export async function telegramHtml(markdown: string): Promise<string | undefined> {
  if (tooDeep.test(markdown)) return undefined;
  const { lexer } = await import("marked");
  try {
    const html = blocks(lexer(markdown, { gfm: true }), 0);
    const text = shown(html);
    return text.length > longestMessage || !isSeen(text) ? undefined : html;
  } catch {
    return undefined;
  }
}
