import type { Piece } from "./channel.ts";
import { cutText } from "./cut-text.ts";

/** UTF-16 units that the Bot API takes in one message. */
export const longestMessage = 4096;
/** Kept free in a piece for what closes and opens a block of code that was cut. */
const fenceRoom = 96;
const mostPhotos = 10;
const longestAddress = 2048;

const imageLine = /^[ \t]*\[IMAGE_URL:[ \t]*(https:\/\/[^\s\]]+)\][ \t]*$/;
const fenceLine = /^ {0,3}(`{3,}|~{3,})([^\n`]*)$/;

/** False for blanks and marks that nobody sees: Telegram refuses a message of nothing else. */
export const isSeen = (text: string) => /[^\s\u180e\u200b-\u200f\u202a-\u202e\u2800\ufffc]/.test(text);

type Fence = { readonly mark: string; readonly opening: string } | undefined;

/** The block of code that a line opens or closes, after the one that is open before it. */
function fenceAfter(line: string, open: Fence): Fence {
  const [, mark, info = ""] = fenceLine.exec(line) ?? [];
  if (mark === undefined) return open;
  if (open === undefined) {
    const language = /^[\w+#.-]{1,32}/.exec(info.trim())?.[0] ?? "";
    return { mark: mark.slice(0, 20), opening: `${mark.slice(0, 20)}${language}` };
  }
  const closes = mark[0] === open.mark[0] && mark.length >= open.mark.length && info.trim() === "";
  return closes ? undefined : open;
}

/** Closes a block of code at the end of a piece and opens it again in the next; leaves out what holds nothing to see. */
function cutMarkdown(text: string): string[] {
  const fits = text.length <= longestMessage;
  let open: Fence;
  return (fits ? [text] : cutText(text, longestMessage - fenceRoom)).flatMap((piece) => {
    const before = open;
    let seen = false;
    for (const line of piece.split("\n")) {
      const after = fenceAfter(line, open);
      seen ||= after === open && isSeen(line);
      open = after;
    }
    if (!seen) return [];
    if (fits) return [piece];
    const closed = open === undefined ? piece : `${piece}${piece.endsWith("\n") ? "" : "\n"}${open.mark}`;
    return [before === undefined ? closed : `${before.opening}\n${closed}`];
  });
}

/** The answer as messages: texts in Markdown, and the pictures that it names in lines of their own outside of code. */
export function telegramPieces(answer: string): Piece[] {
  const pieces: Piece[] = [];
  let lines: string[] = [];
  let photos = 0;
  const endText = () => {
    const text = lines.join("\n");
    lines = [];
    pieces.push(...cutMarkdown(text).map((piece) => ({ kind: "text" as const, text: piece })));
  };
  let open: Fence;
  for (const line of answer.toWellFormed().split("\n")) {
    open = fenceAfter(line, open);
    const url = open === undefined ? imageLine.exec(line)?.[1] : undefined;
    if (url === undefined || url.length > longestAddress || !URL.canParse(url) || photos === mostPhotos) {
      lines.push(line);
      continue;
    }
    endText();
    photos++;
    pieces.push({ kind: "photo", text: url });
  }
  endText();
  return pieces;
}
