import type { CorpusEntry } from "./corpus.ts";
import { delta, done, end, event, say, usage } from "./corpus-chunks.ts";

/** Text, reasoning, finish reasons, usage and framing. */
export const textAnswers: readonly CorpusEntry[] = [
  {
    name: "plain text, usage in the last chunk",
    bytes:
      delta({ role: "assistant", content: "" }) +
      say("Hel") +
      say("lo") +
      end("stop") +
      event({ choices: [], usage }) +
      done,
    out: { text: "Hello", finishReason: "stop", usage: [7, 3] },
  },
  {
    name: "usage in each chunk: the last one counts",
    bytes:
      event({ choices: [{ delta: { content: "a" } }], usage: { prompt_tokens: 7, completion_tokens: 1 } }) +
      event({ choices: [{ delta: { content: "b" }, finish_reason: "stop" }], usage }) +
      done,
    out: { text: "ab", usage: [7, 3] },
  },
  ...(
    [
      ["xAI", { prompt_tokens: 12, completion_tokens: 1, total_tokens: 399 }, [12, 387]],
      ["Gemini", { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 }, [20, 603]],
      ["a server that tells output in the total alone", { prompt_tokens: 20, total_tokens: 23 }, [20, 3]],
      [
        "a server whose total is nothing",
        { prompt_tokens: 7, completion_tokens: 3, total_tokens: 0 },
        [7, 3],
      ],
      ["a server that tells no input", { completion_tokens: 3, total_tokens: 10 }, [0, 3]],
    ] as const
  ).map(([who, usage, counted]) => ({
    name: `usage as ${who} tells it: all that was generated counts`,
    bytes: say("a") + end("stop") + event({ choices: [], usage }) + done,
    out: { text: "a", usage: counted },
  })),
  { name: "usage never: estimated", bytes: say("abcdefgh") + end("stop") + done, out: { text: "abcdefgh" } },
  {
    name: "usage of null and of nonsense",
    bytes:
      event({ choices: [{ delta: { content: "a" } }], usage: null }) +
      event({ choices: [], usage: { prompt_tokens: -1, completion_tokens: "9" } }) +
      end("stop"),
    out: { text: "a" },
  },
  {
    name: "CRLF, comments, other fields, no space after the colon, a byte order mark",
    bytes: `\ufeff: hello\r\nevent: message\r\nid: 1\r\ndata:${say("a").slice(6).trim()}\r\n\r\n: keep-alive\r\n\r\nretry: 5\r\n${end("stop").replaceAll("\n", "\r\n")}data: [DONE]\r\n\r\n`,
    out: { text: "a" },
  },
  {
    name: "lone CR as line end",
    bytes: (say("a") + say("b") + end("stop") + done).replaceAll("\n", "\r"),
    out: { text: "ab" },
  },
  {
    name: "an event of several data lines",
    bytes: `data: {"choices":[{"delta":\ndata: {"content":"a\\n"},\ndata: "finish_reason":"stop"}]}\n\n${done}`,
    out: { text: "a\n" },
  },
  { name: "no blank line at the end", bytes: say("a") + end("stop").trimEnd(), out: { text: "a" } },
  { name: "no [DONE]", bytes: say("a") + end("stop"), out: { text: "a" } },
  {
    name: "[DONE] without a finish reason",
    bytes: say("a") + done,
    out: { text: "a", finishReason: "stop" },
  },
  {
    name: "what follows [DONE] is dropped",
    bytes: say("a") + end("stop") + done + say("b") + "data: {{{\n\n",
    out: { text: "a" },
  },
  {
    name: "text of two, three and four bytes",
    bytes: say("é") + say("漢字") + say("🦞👩‍👩‍👧") + end("stop"),
    out: { text: "é漢字🦞👩‍👩‍👧" },
  },
  {
    name: "empty deltas, null fields and foreign ones",
    bytes:
      event({
        choices: [{ delta: { content: null, tool_calls: null, reasoning_content: null }, logprobs: null }],
      }) +
      event({ choices: [{ delta: null }] }) +
      event({ choices: null }) +
      event({ obfuscation: "xyz", choices: [{ delta: { content: "a", weird: [1] } }] }) +
      end("stop"),
    out: { text: "a" },
  },
  {
    name: "content in parts, thinking among them",
    bytes:
      delta({ content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }) +
      delta({
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      }) +
      end("stop"),
    out: { text: "ab", reasoning: "hm" },
  },
  {
    name: "reasoning_content, then reasoning",
    bytes:
      delta({ reasoning_content: "I th" }) +
      delta({ reasoning: "ink" }) +
      delta({ content: "so", reasoning: "." }) +
      end("stop"),
    out: { text: "so", reasoning: "I think." },
  },
  {
    name: "a refusal is the answer",
    bytes: delta({ refusal: "I will not." }) + end("stop"),
    out: { text: "I will not." },
  },
  {
    name: "an empty answer",
    bytes: delta({ role: "assistant" }) + end("stop") + done,
    out: { text: "", finishReason: "stop" },
  },
  { name: "length", bytes: say("a") + end("length"), out: { text: "a", finishReason: "length" } },
  { name: "MAX_TOKENS", bytes: say("a") + end("MAX_TOKENS"), out: { text: "a", finishReason: "length" } },
  {
    name: "content_filter",
    bytes: say("a") + end("content_filter"),
    out: { text: "a", finishReason: "content_filter" },
  },
  {
    name: "an unknown finish reason",
    bytes: say("a") + end("eos"),
    out: { text: "a", finishReason: "stop" },
  },
];
