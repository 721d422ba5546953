import { AppError, cancelled } from "../errors.ts";
import type { ToolCall } from "../llm/message.ts";
import { resultMessage } from "../llm/pictures.ts";
import type { CanDelegate, DelegateTask } from "../sandbox/can-delegate.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { ToolResult } from "../sandbox/tool.ts";
import { count, toolSeconds } from "../telemetry/metrics.ts";
import { names, spanNames } from "../telemetry/names.ts";
import type { Span } from "../telemetry/span.ts";
import { tokenLimit } from "./account.ts";
import { type Approvals, preview } from "./approvals.ts";
import { askFirst, failed, refusedBefore, unknownOutcome } from "./ask-first.ts";
import { type AutonomyRules, rule } from "./autonomy.ts";
import { recorded, type RecordCalls } from "./call-audit.ts";
import { type Channel, createChannel } from "./channel.ts";
import type { Turn, TurnEvent } from "./turn.ts";

export type { DelegateTask };

export interface Acting {
  readonly sandbox: Sandbox;
  readonly approvals: Approvals;
  readonly rules: AutonomyRules;
  /** Calls that run side by side. */
  readonly parallelCalls: number;
  /** Absent in tests that are not about the audit trail. */
  readonly record?: RecordCalls;
  /** What a call may delegate; absent where nothing can be. */
  readonly delegate?: (by: Delegating) => CanDelegate;
}

/** A call that may delegate: `tell` shows the requester an event as one of this turn. */
export interface Delegating {
  readonly turn: Turn;
  readonly callId: string;
  tell(event: TurnEvent): void;
}

/** Pieces of output that may wait for a slow reader; more are left out of the view, never out of the result. */
const chunksWaiting = 1000;

const toolSpan = ({ span, sessionId }: Turn, { id, name, arguments: given }: ToolCall) => {
  const child = span?.child(spanNames.tool(name), "internal", {
    [names.operation]: "execute_tool",
    [names.toolName]: name,
    [names.toolType]: "function",
    [names.toolCall]: id,
    [names.conversation]: sessionId,
  });
  child?.content(names.toolArguments, () => given);
  return child;
};

function endToolSpan(span: Span | undefined, { status, reason, text }: ToolResult) {
  span?.set({ [names.toolStatus]: status, [names.reason]: reason });
  span?.content(names.toolResult, () => text);
  span?.end(status === "ok" ? undefined : status);
}

/** Runs one call to its result; throws only when the turn was cancelled or the store failed. */
async function runCall(
  turn: Turn,
  call: ToolCall,
  acting: Acting,
  events: Channel<TurnEvent>,
): Promise<void> {
  const span = toolSpan(turn, call);
  try {
    await runInSpan(span === undefined ? turn : { ...turn, span }, call, acting, events);
  } finally {
    span?.end();
  }
}

async function runInSpan(
  turn: Turn,
  call: ToolCall,
  acting: Acting,
  events: Channel<TurnEvent>,
): Promise<void> {
  const prepared = acting.sandbox.prepare(call.name, call.arguments, call.problem);
  let result = prepared.ok ? undefined : prepared.result;
  let why: string | undefined;
  if (prepared.ok) {
    const ruling = rule(prepared.name, prepared.effect, acting.rules);
    if (ruling.kind === "refuse") result = failed(ruling.text, ruling.reason);
    else if (ruling.kind === "ask") {
      const { reason } = ruling;
      const leave = await askFirst({ turn, call, prepared, reason, approvals: acting.approvals, events });
      if (leave.kind === "ended") ({ result } = leave);
      else ({ why } = leave);
    } else if (prepared.effect !== "reads") {
      result = turn.resumed ? unknownOutcome : await refusedBefore(turn, prepared, acting.approvals);
    }
  }
  const of = { callId: call.id, toolName: call.name };
  const argumentsPreview = preview(prepared.ok ? prepared.argumentsJson : call.arguments);
  events.push({ type: "tool_start", ...of, argumentsPreview, ...(why !== undefined && { reason: why }) });
  const begin = performance.now();
  const lent = result === undefined && prepared.ok ? prepared.lends : undefined;
  if (result === undefined && prepared.ok) {
    const { sessionId, principal, request } = turn;
    const maxTokens = tokenLimit(request);
    const delegate = acting.delegate?.({ turn, callId: call.id, tell: events.push });
    result = await prepared.run({
      caller: {
        turnId: turn.id,
        callId: call.id,
        step: turn.step,
        principal: principal.name,
        ...(sessionId && { sessionId }),
        approver: request.approver,
        ...(request.onlyTools && { onlyTools: request.onlyTools }),
        ...(request.agent !== undefined && { agent: request.agent }),
        ...(maxTokens !== undefined && { maxTokens }),
        ...(delegate && { delegate }),
      },
      signal: turn.signal,
      emit: (text) => {
        if (events.waiting < chunksWaiting) events.push({ type: "tool_chunk", ...of, text });
      },
    });
  }
  if (result === undefined)
    throw new AppError("internal", `The call ${call.id} of ${call.name} gave no result.`);
  count("totalToolCalls");
  if (result.status === "timeout") count("totalToolTimeouts");
  else if (result.status !== "ok") count("totalToolFailures");
  const tookMs = performance.now() - begin;
  // The model may ask for tools by any name.
  toolSeconds.observe(tookMs / 1000, prepared.ok ? prepared.name : "other", result.status);
  endToolSpan(turn.span, result);
  events.push({
    type: "tool_result",
    ...of,
    text: result.text,
    resultStatus: result.status,
    ...(result.reason !== undefined && { reason: result.reason }),
    durationMs: Math.round(tookMs),
    ...(lent && { lent }),
    ...(why !== undefined && { grant: why }),
    message: resultMessage(call.id, result.text, result.images),
  });
}

/** Runs the calls of one step side by side and tells what happens as it happens. */
export function act(turn: Turn, calls: readonly ToolCall[], acting: Acting): AsyncIterable<TurnEvent> {
  const events = runCalls(turn, calls, acting);
  if (turn.sessionId !== undefined || acting.record === undefined) return events;
  return recorded(turn, calls, events, acting.record);
}

async function* runCalls(turn: Turn, calls: readonly ToolCall[], acting: Acting): AsyncIterable<TurnEvent> {
  const events = createChannel<TurnEvent>();
  const left = new AbortController();
  const joined = { ...turn, signal: AbortSignal.any([turn.signal, left.signal]) };
  const queue = calls.values();
  const work = async () => {
    for (const call of queue) {
      if (left.signal.aborted) return;
      await runCall(joined, call, acting, events);
    }
  };
  const workers = Array.from({ length: Math.min(acting.parallelCalls, calls.length) }, work);
  // All are waited for even when one fails, so that nothing of this turn runs on behind its end.
  void Promise.allSettled(workers).then((ends) => {
    const bad = ends.find((end) => end.status === "rejected");
    if (bad === undefined) events.close();
    else events.fail(bad.reason);
  });
  try {
    yield* events;
  } finally {
    // Also where the turn ends because an event could not be stored: what runs is ended, and no other call begins.
    left.abort(cancelled());
  }
}
