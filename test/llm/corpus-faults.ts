import type { CorpusEntry } from "./corpus.ts";
import { delta, done, end, event, piece, say, usage } from "./corpus-chunks.ts";

const readA = { name: "read_file", arguments: '{"path":"a"}' };
const readB = { name: "read_file", arguments: '{"path":"b"}' };

/** Plain JSON, errors inside of a 200, and streams that break. */
export const brokenAnswers: readonly CorpusEntry[] = [
  {
    name: "a plain completion instead of a stream",
    bytes: JSON.stringify(
      {
        model: "m",
        choices: [
          {
            message: { role: "assistant", content: "Hello", reasoning_content: "hm" },
            finish_reason: "stop",
          },
        ],
        usage,
      },
      null,
      2,
    ),
    out: { text: "Hello", reasoning: "hm", usage: [7, 3] },
  },
  {
    name: "a plain completion with calls, after white space",
    bytes: `\r\n  ${JSON.stringify({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [
              { id: "a", function: readA },
              { id: "b", function: readB },
            ],
          },
        },
      ],
    })}\n`,
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
      finishReason: "tool_calls",
    },
  },
  ...["tool_calls", "malformed_function_call", "function_call_filter: MALFORMED_FUNCTION_CALL"].map(
    (reason): CorpusEntry => ({
      name: `an answer that ends with ${reason} and has nothing in it`,
      bytes: delta({ reasoning_content: "hm" }) + end(reason),
      out: {
        error: "provider_error",
        message: new RegExp(`tool call that it did not send\\. It said: ${reason}`),
      },
    }),
  ),
  {
    name: "an answer that ends with tool_calls and says something instead",
    bytes: say("Let me see.") + end("tool_calls"),
    out: { text: "Let me see.", finishReason: "stop" },
  },
  {
    name: "an answer that stops and has nothing in it",
    bytes: delta({ content: "" }) + end("stop"),
    out: { text: "", finishReason: "stop" },
  },
  {
    name: "an error body",
    bytes: '{"error":{"message":"no such thing"}}',
    out: { error: "provider_error", message: /no such thing/ },
  },
  {
    name: "an error body that is a text, in a list",
    bytes: '[{"error":"overloaded"}]',
    out: { error: "provider_error", message: /overloaded/ },
  },
  {
    name: "an error body with a status",
    bytes: '{"error":{"code":429,"message":"slow down"}}',
    out: { error: "rate_limited", message: /slow down/ },
  },
  {
    name: "an error of vLLM",
    bytes: '{"object":"error","message":"too long"}',
    out: { error: "provider_error", message: /too long/ },
  },
  {
    name: "an error in the stream",
    bytes: say("a") + event({ error: { message: "engine died" } }) + done,
    out: { error: "provider_error", message: /engine died/ },
  },
  {
    name: "a finish reason of error",
    bytes: say("a") + end("error"),
    out: { error: "provider_error", message: /with an error/ },
  },
  {
    name: "a stream that closes in the middle",
    bytes: say("a") + say("b"),
    out: { error: "provider_error", message: /in the middle/ },
  },
  {
    name: "a stream that closes in the middle of a call",
    bytes: piece({ index: 0, id: "a", function: { name: "x", arguments: '{"a' } }),
    out: { error: "provider_error", message: /in the middle/ },
  },
  {
    name: "a stream that closes in the middle of an event",
    bytes: say("a") + 'data: {"choices":[{"del',
    out: { error: "provider_error", message: /in the middle/ },
  },
  {
    name: "garbage in the stream",
    bytes: say("a") + event("nonsense"),
    out: { error: "provider_error", message: /not JSON.*nonsense/ },
  },
  {
    name: "a web page",
    bytes: "<html><body>It works!</body></html>\n",
    out: { error: "provider_error", message: /no answer/ },
  },
  {
    name: "other JSON",
    bytes: '{"detail":"Not Found"}',
    out: { error: "provider_error", message: /no answer.*Not Found/ },
  },
  { name: "nothing at all", bytes: "", out: { error: "provider_error", message: /no answer/ } },
  { name: "nothing but [DONE]", bytes: done, out: { error: "provider_error", message: /no answer/ } },
  {
    name: "129 calls",
    bytes:
      piece(...Array.from({ length: 129 }, (_, index) => ({ index, function: readA }))) + end("tool_calls"),
    out: { error: "provider_error", message: /more than 128/ },
  },
];
