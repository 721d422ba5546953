import { expect, test } from "bun:test";
import { AppError, cancelled } from "../../src/errors.ts";
import { type Ledger, withLedger } from "../../src/llm/ledger.ts";
import type { Llm, LlmEvent, LlmRequest } from "../../src/llm/llm.ts";
import { assistantMessage, noUsage, type Usage, userMessage } from "../../src/llm/message.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { readCounters } from "../../src/telemetry/metrics.ts";
import { scriptedModel, type Step } from "../helpers/model-server.ts";
import { llmAt } from "./asking.ts";
import { end, event, piece, say } from "./corpus-chunks.ts";

const account = { turnId: "t1", sessionId: "s1", principal: "operator", channel: "test" };
const message = userMessage("x".repeat(400));
const inputTokens = Math.ceil(message.json.length / 4);
const request = (signal = new AbortController().signal): LlmRequest => ({
  messages: [message],
  tools: [],
  parameters: {},
  account,
  signal,
});

const usage: Usage = { ...noUsage, inputTokens: 100, outputTokens: 20 };
const answer: LlmEvent = {
  type: "answer",
  message: assistantMessage("hi"),
  finishReason: "stop",
  usage,
  model: "gpt",
};

/** Yields these events, then throws what is given. */
const scripted = (events: readonly LlmEvent[], fault?: Error): Llm =>
  async function* scripted() {
    yield* events;
    if (fault) throw fault;
  };

function listLedger() {
  const rows: { session?: string; model: string; usage: Usage }[] = [];
  const ledger: Ledger = {
    record: async ({ sessionId }, { model, usage }) => void rows.push({ session: sessionId, model, usage }),
  };
  return { rows, ledger };
}

async function run(llm: Llm, signal?: AbortSignal) {
  const { rows, ledger } = listLedger();
  const before = readCounters();
  const outcome = await Array.fromAsync(
    withLedger(llm, ledger, { name: "p", model: "default-model" })(request(signal)),
  ).catch((error) => error);
  const after = readCounters();
  const counted = (name: keyof typeof after) => after[name] - before[name];
  return { rows, outcome, counted };
}

test("withLedger passes events through and records what the provider told", async () => {
  const { rows, outcome, counted } = await run(scripted([{ type: "text", text: "hi" }, answer]));
  expect(outcome).toEqual([{ type: "text", text: "hi" }, answer]);
  expect(rows).toEqual([{ session: "s1", model: "gpt", usage }]);
  expect(counted("totalLlmCalls")).toBe(1);
  expect(counted("totalInputTokens")).toBe(100);
  expect(counted("totalOutputTokens")).toBe(20);
  expect(counted("totalLlmErrors")).toBe(0);
});

test("withLedger estimates a call that broke after its first token", async () => {
  const fault = new AppError("provider_error", "gone");
  const { rows, outcome, counted } = await run(scripted([{ type: "text", text: "漢字".repeat(10) }], fault));
  expect(outcome).toBe(fault);
  expect(rows).toMatchObject([
    { model: "default-model", usage: { inputTokens, outputTokens: 15, estimated: true } },
  ]);
  expect(counted("totalLlmErrors")).toBe(1);
});

test.each(["cancelled", "provider_timeout"] as const)(
  "withLedger counts the input of a call that was stopped before its first token (%s)",
  async (code) => {
    const { rows } = await run(scripted([], new AppError(code, "stopped")));
    expect(rows).toMatchObject([{ usage: { inputTokens, outputTokens: 0, estimated: true } }]);
  },
);

test("withLedger counts the input of a call that broke off before its first token, but had begun", async () => {
  const begun = new AppError("provider_error", "cut", { upstream: { retryable: true, begun: true } });
  expect((await run(scripted([], begun))).rows).toMatchObject([{ usage: { inputTokens, estimated: true } }]);
  const refused = new AppError("provider_error", "nothing listens", { upstream: { retryable: true } });
  expect((await run(scripted([], refused))).rows).toEqual([]);
});

test("withLedger records nothing for a call that was refused", async () => {
  const { rows, counted } = await run(scripted([], new AppError("rate_limited", "no")));
  expect(rows).toEqual([]);
  expect(counted("totalLlmErrors")).toBe(1);
});

test("withLedger does not count a cancellation as an error, nor a call that was never made", async () => {
  const { counted } = await run(scripted([], cancelled()));
  expect(counted("totalLlmErrors")).toBe(0);
  const never = await run(scripted([], cancelled()), AbortSignal.abort());
  expect(never.rows).toEqual([]);
  expect(never.counted("totalLlmCalls")).toBe(0);
});

test("withLedger records once when the reader leaves in the middle, or after the answer", async () => {
  for (const [events, expected] of [
    [[{ type: "text", text: "hi" }, answer], { inputTokens, outputTokens: 1, estimated: true }],
    [[answer], usage],
  ] as const) {
    const { rows, ledger } = listLedger();
    for await (const _ of withLedger(scripted(events), ledger)(request())) break;
    expect(rows).toMatchObject([{ usage: expected }]);
  }
});

test("withLedger lets the answer go on when it cannot be recorded, and logs that", async () => {
  const lines: string[] = [];
  setUpLog({ level: "info", pretty: false, sink: (line) => lines.push(line) });
  const broken: Ledger = { record: () => Promise.reject(new Error("disk full")) };
  expect(await Array.fromAsync(withLedger(scripted([answer]), broken)(request()))).toEqual([answer]);
  await Promise.resolve();
  setUpLog({ level: "info", pretty: false, sink: (line) => void process.stderr.write(line) });
  expect(lines.join("")).toContain("disk full");
});

const withTokens = (inputTokens: number): LlmEvent => ({ ...answer, usage: { ...usage, inputTokens } });

test("withLedger learns from each answer how many tokens the bytes of a model are", async () => {
  const reserved: [string, number][] = [];
  const { ledger } = listLedger();
  const budgets = {
    check: async () => {},
    reserve: async (_: unknown, model: string, tokens: number) => {
      reserved.push([model, tokens]);
      return () => {};
    },
    noteUnpriced: () => {},
  };
  const bytes = message.json.length;
  const llm = withLedger(
    scripted([withTokens(Math.round(bytes / 2))]),
    { ...ledger, budgets },
    { name: "p", model: "m" },
  );

  await Array.fromAsync(llm(request()));
  await Array.fromAsync(llm(request()));
  await Array.fromAsync(llm({ ...request(), model: "other" }));

  expect(reserved).toEqual([
    ["m", Math.ceil(bytes / 4)],
    ["m", Math.ceil(bytes / 2)],
    ["other", Math.ceil(bytes / 4)],
  ]);
});

test("withLedger reserves before the call, and lets go once the call is in the books or was refused", async () => {
  const happened: string[] = [];
  const written = Promise.withResolvers<void>();
  const ledger: Ledger = {
    record: async () => {
      await written.promise;
      happened.push("recorded");
    },
    budgets: {
      check: async () => {},
      reserve: async () => {
        happened.push("reserved");
        return (bill = Promise.resolve()) => void bill.then(() => happened.push("released"));
      },
      noteUnpriced: () => {},
    },
  };
  const asked: Llm = async function* asked(each) {
    happened.push("asked");
    yield* scripted([answer])(each);
  };

  await Array.fromAsync(withLedger(asked, ledger)(request()));
  expect(happened).toEqual(["reserved", "asked"]);
  written.resolve();
  await Bun.sleep(0);
  expect(happened.slice(2)).toEqual(["recorded", "released"]);

  const refused = withLedger(scripted([], new AppError("rate_limited", "no")), ledger);
  await Array.fromAsync(refused(request())).catch(() => {});
  expect(happened.slice(4)).toEqual(["reserved", "released"]);
});

test("withLedger counts an image in a cut request as a picture, not as its bytes", async () => {
  const image = userMessage([
    { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(400_000)}` } },
  ]);
  const { rows, ledger } = listLedger();
  const cut = withLedger(scripted([], new AppError("provider_timeout", "late")), ledger);
  await Array.fromAsync(cut({ ...request(), messages: [image] })).catch(() => {});
  expect(rows[0]?.usage.inputTokens).toBeWithin(900, 1200);
});

const bytesOfCall = 400_000;
const longCall = [
  piece({ index: 0, id: "c", function: { name: "write_file", arguments: '{"content":"' } }),
  ...Array.from({ length: bytesOfCall / 10_000 }, () =>
    piece({ index: 0, function: { arguments: "x".repeat(10_000) } }),
  ),
];
const tooManyCalls = Array.from({ length: 129 }, (_, index) =>
  piece({ index, id: `c${index}`, function: { name: "time", arguments: "{}" } }),
);
const tellsUsage = event({ choices: [], usage: { prompt_tokens: 7000, completion_tokens: 900 } });

test.each<[string, Step, object]>([
  [
    "an error of the provider behind a call",
    { rawBytes: [...longCall, event({ error: { message: "overloaded", code: 503 } })] },
    { inputTokens, outputTokens: expect.closeTo(bytesOfCall / 4, -2), estimated: true },
  ],
  [
    "no JSON behind a call",
    { rawBytes: [...longCall, "data: {oops\n\n"] },
    { inputTokens, outputTokens: expect.closeTo(bytesOfCall / 4, -2), estimated: true },
  ],
  [
    "a cut in a call",
    { rawBytes: longCall },
    { inputTokens, outputTokens: expect.closeTo(bytesOfCall / 4, -2), estimated: true },
  ],
  [
    "a call that is too large",
    { rawBytes: [longCall[0] ?? "", ...Array.from({ length: 21 }, () => longCall.slice(1)).flat()] },
    { inputTokens, outputTokens: expect.closeTo((8 * 1024 * 1024) / 4, -4), estimated: true },
  ],
  [
    "too many calls",
    { rawBytes: [...tooManyCalls, end("tool_calls"), tellsUsage] },
    { inputTokens, outputTokens: expect.closeTo(300, -2), estimated: true },
  ],
  [
    "a cut behind the usage",
    { rawBytes: [say("hi"), tellsUsage] },
    { inputTokens: 7000, outputTokens: 900, estimated: false },
  ],
  [
    "a call that was announced and not sent",
    { rawBytes: [end("malformed_function_call"), tellsUsage] },
    { inputTokens: 7000, outputTokens: 900, estimated: false },
  ],
])("withLedger records what an answer cost that ended in %s", async (_, step, expected) => {
  await using server = scriptedModel([step]);
  const { rows, outcome } = await run(llmAt(server.url));
  expect(outcome).toMatchObject({ code: "provider_error" });
  expect(rows).toMatchObject([{ usage: expected }]);
});

test("withLedger records what an answer cost that was cancelled behind a call", async () => {
  await using server = scriptedModel([{ rawBytes: [...longCall, say("done")], hang: "body" }]);
  const left = new AbortController();
  const leaves: Llm = async function* leaves(each) {
    for await (const event of llmAt(server.url)(each)) {
      if (event.type === "text") left.abort();
      yield event;
    }
  };
  const { rows, outcome } = await run(leaves, left.signal);
  expect(outcome).toMatchObject({ code: "cancelled" });
  expect(rows).toMatchObject([{ usage: { outputTokens: expect.closeTo(bytesOfCall / 4, -2) } }]);
});

test("withLedger records nothing for an error that came instead of an answer", async () => {
  await using server = scriptedModel([
    { rawBytes: [event({ error: { message: "overloaded", code: 503 } })] },
  ]);
  expect((await run(llmAt(server.url))).rows).toEqual([]);
});
