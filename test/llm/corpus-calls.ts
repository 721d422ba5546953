import type { CorpusEntry } from "./corpus.ts";
import { delta, end, piece, say } from "./corpus-chunks.ts";

const readA = { name: "read_file", arguments: '{"path":"a"}' };
const readB = { name: "read_file", arguments: '{"path":"b"}' };
const listing = { name: "list_files", arguments: '{"path":"."}' };

/** Tool calls, in every way that providers cut them. */
export const callAnswers: readonly CorpusEntry[] = [
  {
    name: "OpenAI's own: arguments in pieces under one index",
    bytes:
      piece({ index: 0, id: "call_a", type: "function", function: { name: "read_file", arguments: "" } }) +
      piece({ index: 0, function: { arguments: '{"pa' } }) +
      piece({ index: 0, function: { arguments: 'th":"a"}' } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "call_a" }], finishReason: "tool_calls" },
  },
  {
    name: "two calls whose pieces alternate",
    bytes:
      piece({ index: 0, id: "a", function: { name: "read_file", arguments: "" } }) +
      piece({ index: 1, id: "b", function: { name: "read_file", arguments: "" } }) +
      piece(
        { index: 0, function: { arguments: '{"path":' } },
        { index: 1, function: { arguments: '{"path":' } },
      ) +
      piece({ index: 1, function: { arguments: '"b"}' } }) +
      piece({ index: 0, function: { arguments: '"a"}' } }) +
      end("tool_calls"),
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "index always 0, ids differ",
    bytes:
      piece({ index: 0, id: "a", function: readA }) +
      piece({ index: 0, id: "b", function: readB }) +
      end("tool_calls"),
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "index always 0, ids differ, arguments in pieces, calls without arguments",
    bytes:
      piece({ index: 0, id: "a", function: { name: "time", arguments: "" } }) +
      piece({ index: 0, id: "b", function: { name: "read_file", arguments: "" } }) +
      piece({ index: 0, function: { arguments: '{"path"' } }) +
      piece({ index: 0, function: { arguments: ':"b"}' } }) +
      end("tool_calls"),
    out: {
      calls: [
        { name: "time", arguments: "{}", id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "index always 0 and no ids: a named piece after a whole call begins the next",
    bytes:
      piece({ index: 0, function: readA }) +
      piece({ index: 0, function: listing }) +
      piece({ index: 0, function: readB }) +
      end("stop"),
    out: { calls: [readA, listing, readB], finishReason: "tool_calls" },
  },
  {
    name: "no index, ids on the first piece only",
    bytes:
      piece({ id: "a", function: { name: "read_file", arguments: '{"path":' } }) +
      piece({ function: { arguments: '"a"}' } }) +
      piece({ id: "b", function: { name: "read_file", arguments: '{"path":' } }) +
      piece({ function: { arguments: '"b"}' } }) +
      end("tool_calls"),
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "no index, the id on every piece",
    bytes:
      piece({ id: "a", function: { name: "read_file", arguments: '{"path":' } }) +
      piece({ id: "a", function: { name: "read_file", arguments: '"a"}' } }) +
      piece({ id: "b", function: readB }) +
      end("tool_calls"),
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "several whole calls in one delta without index or id",
    bytes: piece({ function: readA }, { function: readB }, { function: readB }) + end("stop"),
    out: { calls: [readA, readB, readB], finishReason: "tool_calls" },
  },
  {
    name: "several calls in one delta, all of index 0",
    bytes:
      piece({ index: 0, id: "a", function: readA }, { index: 0, id: "b", function: readB }) +
      end("tool_calls"),
    out: {
      calls: [
        { ...readA, id: "a" },
        { ...readB, id: "b" },
      ],
    },
  },
  {
    name: "name in pieces",
    bytes:
      piece({ index: 0, id: "a", function: { name: "read" } }) +
      piece({ index: 0, function: { name: "_file" } }) +
      piece({ index: 0, function: { arguments: '{"path":"a"}' } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "a" }] },
  },
  {
    name: "id in pieces",
    bytes:
      piece({ index: 0, id: "call_", function: { name: "read_file" } }) +
      piece({ index: 0, id: "a" }) +
      piece({ index: 0, function: { arguments: '{"path":"a"}' } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "call_a" }] },
  },
  {
    name: "name and id late",
    bytes:
      piece({ index: 0, function: { arguments: '{"path":' } }) +
      piece({ index: 0, function: { arguments: '"a"}' } }) +
      piece({ index: 0, id: "late", function: { name: "read_file" } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "late" }] },
  },
  {
    name: "name repeated on every piece, a new id on every piece",
    bytes:
      piece({ index: 0, id: "x1", function: { name: "read_file", arguments: '{"path"' } }) +
      piece({ index: 0, id: "x2", function: { name: "read_file", arguments: ":" } }) +
      piece({ index: 0, id: "x3", function: { name: "read_file", arguments: '"a"}' } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "x1" }] },
  },
  {
    name: "the whole call told twice",
    bytes:
      piece({ index: 0, id: "a", function: { name: "read_file", arguments: '{"path":' } }) +
      piece({ index: 0, function: { arguments: '"a"}' } }) +
      piece({ index: 0, id: "a", function: readA }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "a" }] },
  },
  {
    name: "`{}` first and the arguments after it",
    bytes:
      piece({ index: 0, id: "a", function: { name: "read_file", arguments: "{}" } }) +
      piece({ index: 0, function: { arguments: '{"path":' } }) +
      piece({ index: 0, function: { arguments: '"a"}' } }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "a" }] },
  },
  {
    name: "duplicate ids get new ones",
    bytes:
      piece({ index: 0, id: "a", function: readA }) +
      piece({ index: 1, id: "a", function: readB }) +
      end("tool_calls"),
    out: { calls: [{ ...readA, id: "a" }, readB] },
  },
  {
    name: "an id that is too long, and one that is no text",
    bytes:
      piece({ index: 0, id: "x".repeat(500), function: readA }, { index: 1, id: 17, function: readB }) +
      end("tool_calls"),
    out: { calls: [readA, readB] },
  },
  ...(["", " ", "null"] as const).map((text) => ({
    name: `arguments of ${JSON.stringify(text)}`,
    bytes: piece({ index: 0, id: "a", function: { name: "time", arguments: text } }) + end("tool_calls"),
    out: { calls: [{ name: "time", arguments: "{}", id: "a" }] },
  })),
  {
    name: "arguments null, missing, an object, and encoded twice",
    bytes:
      piece(
        { index: 0, function: { name: "time", arguments: null } },
        { index: 1, function: { name: "time" } },
        { index: 2, function: { name: "read_file", arguments: { path: "a" } } },
        { index: 3, function: { name: "read_file", arguments: JSON.stringify('{"path":"b"}') } },
      ) + end("tool_calls"),
    out: { calls: [{ name: "time", arguments: "{}" }, { name: "time", arguments: "{}" }, readA, readB] },
  },
  ...(['{"path":"a"', "path=a", "[1]", "17", '{"path":"a"} and more', "true"] as const).map((text) => ({
    name: `arguments that are no JSON object: ${text}`,
    bytes: piece({ index: 0, id: "a", function: { name: "read_file", arguments: text } }) + end("tool_calls"),
    out: { calls: [{ name: "read_file", arguments: "{}", id: "a", problem: /not a JSON object: / }] },
  })),
  {
    name: "braces and quotes inside of arguments",
    bytes:
      piece({ index: 0, function: { name: "write_file", arguments: '{"content":"}}{[\\"' } }) +
      piece({ index: 0, function: { name: "write_file", arguments: '\\\\"}' } }) +
      end("tool_calls"),
    out: { calls: [{ name: "write_file", arguments: '{"content":"}}{[\\"\\\\"}' }] },
  },
  {
    name: "a call without a name",
    bytes: piece({ index: 0, id: "a", function: { arguments: "{}" } }) + end("tool_calls"),
    out: { calls: [{ name: "unnamed", arguments: "{}", id: "a" }] },
  },
  {
    name: "calls that are none",
    bytes: piece() + delta({ tool_calls: "x" }) + delta({ content: "a", tool_calls: {} }) + end("stop"),
    out: { text: "a" },
  },
  {
    name: "text and a call",
    bytes: say("Let me see.") + piece({ index: 0, id: "a", function: readA }) + end("tool_calls"),
    out: { text: "Let me see.", calls: [{ ...readA, id: "a" }], finishReason: "tool_calls" },
  },
  {
    name: "a call cut by the token limit",
    bytes: piece({ index: 0, id: "a", function: { name: "read_file", arguments: '{"pa' } }) + end("length"),
    out: {
      calls: [{ name: "read_file", arguments: "{}", id: "a", problem: /\{"pa/ }],
      finishReason: "length",
    },
  },
  {
    name: "the legacy function_call",
    bytes:
      delta({ function_call: { name: "read_file", arguments: '{"path":' } }) +
      delta({ function_call: { arguments: '"a"}' } }) +
      end("function_call"),
    out: { calls: [readA], finishReason: "tool_calls" },
  },
];
