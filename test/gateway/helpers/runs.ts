import type { RunTurn, TurnEvent } from "../../../src/agent/turn.ts";
import { cancelled } from "../../../src/errors.ts";
import { assistantMessage, toolMessage, type Usage } from "../../../src/llm/message.ts";

export const usage: Usage = {
  inputTokens: 7,
  outputTokens: 3,
  cachedTokens: 2,
  reasoningTokens: 1,
  estimated: false,
};

export const step = (at: number): TurnEvent => ({
  type: "status",
  code: "step",
  text: `step ${at} of at most 25`,
  step: at,
  maxSteps: 25,
});
export const text = (piece: string): TurnEvent => ({ type: "text", text: piece });
export const said = (words: string): TurnEvent => ({
  type: "message",
  message: assistantMessage(words),
  usage,
  model: "small",
});
export const done = (over: Partial<Extract<TurnEvent, { type: "done" }>> = {}): TurnEvent => ({
  type: "done",
  finishReason: "stop",
  usage,
  model: "small",
  clientCalls: [],
  ...over,
});

export const toolCall = (callId = "call-1"): TurnEvent[] => [
  { type: "tool_start", callId, toolName: "time", argumentsPreview: "{}" },
  { type: "tool_chunk", callId, toolName: "time", text: "looking" },
  {
    type: "tool_result",
    callId,
    toolName: "time",
    text: "noon",
    resultStatus: "ok",
    durationMs: 4,
    message: toolMessage(callId, "noon"),
  },
];

/** Answers with what was said, in two pieces. */
export const echo: RunTurn = async function* (turn) {
  yield step(1);
  yield text("You said: ");
  yield text(turn.text);
  yield said(`You said: ${turn.text}`);
  yield done();
};

/** Yields the same events for every turn. */
export const plays = (...events: readonly TurnEvent[]): RunTurn =>
  async function* () {
    for (const event of events) yield event;
  };

export const fails = (error: unknown): RunTurn =>
  // biome-ignore lint: a generator, because turns are.
  async function* () {
    throw error;
  };

/** A turn that says `begun` and then waits for its end; `ended` tells that its signal was heard. */
export function waits() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const run: RunTurn = async function* (turn) {
    try {
      yield step(1);
      yield text("begun");
      begun.resolve();
      const { promise, reject } = Promise.withResolvers<never>();
      if (turn.signal.aborted) throw cancelled();
      turn.signal.addEventListener("abort", () => reject(turn.signal.reason), { once: true });
      await promise;
    } finally {
      ended.resolve();
    }
  };
  return { run, begun: begun.promise, ended: ended.promise };
}
