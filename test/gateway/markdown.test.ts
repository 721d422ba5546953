import { expect, test } from "bun:test";
import { codeBlock, markdownHead, markdownOf } from "../../src/gateway/markdown.ts";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";

const entry = (message: Message) => ({ id: "e", sessionId: "s", depth: 1, createdAt: 0, message });

test("markdownOf tells who said what and when, with the calls and their results", () => {
  expect(markdownOf(entry(userMessage("Hi\n\nthere")))).toBe(
    "## User · 1970-01-01T00:00:00.000Z\n\nHi\n\nthere\n\n",
  );
  const call = { id: "c1", name: "read_file", arguments: '{"path":"a"}' };
  expect(markdownOf(entry(assistantMessage("", [call])))).toContain(
    'Calls `read_file`:\n\n```json\n{"path":"a"}\n```',
  );
  expect(markdownOf(entry(toolMessage("c1", "text")))).toContain("## Tool result");
});

test("markdownOf links images of the web and leaves out those in the message", () => {
  const image = (url: string) => ({ type: "image_url", image_url: { url } });
  const parts = [
    image("https://example.org/a.png"),
    image("data:image/png;base64,AAAA"),
    { type: "text", text: "Both?" },
  ];
  const written = markdownOf(entry(userMessage(parts)));
  expect(written).toContain("![image](https://example.org/a.png)\n\n*(an image)*\n\nBoth?");
  expect(written).not.toContain("AAAA");
});

test("codeBlock cannot be ended by its text, however many fences that holds", () => {
  expect(codeBlock("a")).toBe("```\na\n```");
  expect(codeBlock("````\nx\n````")).toBe("`````\n````\nx\n````\n`````");
  expect(codeBlock("` ".repeat(500_000)).slice(0, 5)).toBe("```\n`");
});

test("markdownHead names the session by its title, or else its id", () => {
  const session = { id: "chat-1", owner: "o", channel: "http", createdAt: 0, updatedAt: 0 };
  expect(markdownHead({ ...session, title: "# a `b`", model: "m" })).toBe(
    "# \\# a \\`b\\`\n\n- session: `chat-1`\n- started: 1970-01-01T00:00:00.000Z\n- model: `m`\n\n",
  );
  expect(markdownHead(session)).toStartWith("# chat-1\n");
});
