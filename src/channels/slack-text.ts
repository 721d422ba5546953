import type { Piece } from "./channel.ts";
import { cutText } from "./cut-text.ts";

/** Characters of one message: Slack cuts what is longer. */
const longestMessage = 40_000;
/** Escaped, a text is at most five times as long. */
const longestUnescaped = longestMessage / 5;

const signs: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Text as Slack shows it letter by letter: no mention, no link and no command is in it. */
export const escapeText = (text: string) => text.replace(/[&<>]/g, (sign) => signs[sign] ?? sign);

/** What Slack wrote for `&`, `<` and `>`. */
export const unescapeText = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/**
 * Code stays as it is; elsewhere the commonest marks of Markdown become Slack's, none longer than it was. No two parts
 * that repeat can match the same sign side by side: a model may write 39,000 blanks.
 */
const marks =
  /(```[^]*?(?:```|(?![^]))|`[^`\n]*`)|\*\*([^*\n]+)\*\*|^#{1,6} +([^ \n*][^\n*]*)$|\[([^\]\n|]{1,300})\]\((https?:\/\/[^\s()|]{1,2000})\)/gm;

/** Markdown of a model as Slack's own, escaped. */
export const toMrkdwn = (markdown: string) =>
  escapeText(markdown).replace(
    marks,
    (whole, code?: string, bold?: string, heading?: string, label?: string, url?: string) => {
      if (code !== undefined) return whole;
      if (bold !== undefined) return `*${bold}*`;
      if (heading !== undefined) return `*${heading.trim()}*`;
      return `<${url}|${label}>`;
    },
  );

/** Cuts an answer into messages; each still fits when it was escaped. */
export const slackPieces = (answer: string): Piece[] =>
  cutText(answer, longestMessage)
    .flatMap((text) => (escapeText(text).length > longestMessage ? cutText(text, longestUnescaped) : [text]))
    .filter((text) => text.trim() !== "")
    .map((text) => ({ kind: "text", text }));
