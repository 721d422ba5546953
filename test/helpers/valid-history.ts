import { expect } from "bun:test";
import type { Message } from "../../src/llm/message.ts";

export const bytesOf = (messages: readonly Message[]) =>
  messages.reduce((sum, message) => sum + Buffer.byteLength(message.json), 0);

/** The text of a message; of its parts, one after the other. */
export function textOf(message: Message | undefined): string {
  const content: unknown = message === undefined ? "" : JSON.parse(message.json).content;
  if (Array.isArray(content)) return content.map((part) => part.text ?? `[${part.type}]`).join("\n\n");
  return typeof content === "string" ? content : "";
}

/**
 * What every provider takes: a person begins, questions and answers take turns, and each call has exactly one result,
 * right behind it and in its order.
 */
export function expectValid(messages: readonly Message[]) {
  let open: string[] = [];
  let before: Message | undefined;
  for (const message of messages) {
    const said = JSON.parse(message.json);
    expect(said.role).toBe(message.role);
    if (message.role === "tool") {
      expect(message.callIds).toHaveLength(1);
      expect(message.callIds[0]).toBe(open.shift() as string);
      expect(said.tool_call_id).toBe(message.callIds[0]);
    } else {
      expect(open).toEqual([]);
      if (message.role === "user") expect([undefined, "assistant"]).toContain(before?.role);
      else expect(["user", "tool"]).toContain(before?.role as string);
    }
    if (message.role === "assistant") open = [...message.callIds];
    before = message;
  }
  expect(open).toEqual([]);
}
