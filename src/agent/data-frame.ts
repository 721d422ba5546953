import { harmless } from "../sandbox/harmless.ts";

/** A text from outside, marked as data: nothing in it can end the frame, hide or pose as a part of the conversation. */
export function dataFrame(tag: string, name: string, text: string): string {
  const inside = harmless(text).replace(new RegExp(`<(?=/?${tag}\\b)`, "gi"), "‹");
  return `<${tag} name="${name}">\n${inside}\n</${tag}>`;
}
