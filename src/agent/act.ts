import { AppError } from "../errors.ts";
import { type ToolCall, toolMessage } from "../llm/message.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Prepared, ToolResult } from "../sandbox/tool.ts";
import { count } from "../telemetry/metrics.ts";
import { type Approval, type Approvals, preview } from "./approvals.ts";
import { type AutonomyRules, rule } from "./autonomy.ts";
import { type Channel, createChannel } from "./channel.ts";
import type { Turn, TurnEvent } from "./turn.ts";

export interface Acting {
  readonly sandbox: Sandbox;
  readonly approvals: Approvals;
  readonly rules: AutonomyRules;
  /** Calls that run side by side. */
  readonly parallelCalls: number;
}

type Runnable = Extract<Prepared, { ok: true }>;

/** Pieces of output that may wait for a slow reader; more are left out of the view, never out of the result. */
const chunksWaiting = 1000;

const failed = (text: string, reason?: string): ToolResult => ({
  status: reason === undefined || reason === "unknown_outcome" ? "error" : "denied",
  text,
  images: [],
  ...(reason !== undefined && { reason }),
});

const unknownOutcome = failed(
  "The server stopped while this call was running, so its outcome is unknown. It was not run again: look at what it may have changed before you repeat it.",
  "unknown_outcome",
);

function refusal(approval: Approval): ToolResult {
  if (approval.state === "expired") {
    return failed(`Nobody decided about this call in time, so it was not run.`, "expired");
  }
  const note = approval.note === undefined ? "" : ` They said: ${approval.note}`;
  return failed(`A person denied this call, so it was not run.${note}`, "denied");
}

/** Asks the requester, or answers at once when there is none. Undefined: it was approved. */
async function askFirst(
  turn: Turn,
  call: ToolCall,
  prepared: Runnable,
  reason: string,
  acting: Acting,
  events: Channel<TurnEvent>,
): Promise<ToolResult | undefined> {
  if (turn.request.approver === "none") {
    const text = `${call.name} needs an approval and there is nobody to ask here, so it was not run.`;
    return failed(text, "no_approver");
  }
  const earlier = turn.resumed ? await acting.approvals.ofCall(turn.id, call.id) : undefined;
  if (earlier?.state === "approved") return unknownOutcome;
  if (earlier !== undefined && earlier.state !== "pending") return refusal(earlier);
  const { argumentsJson } = prepared;
  const approval =
    earlier ??
    (await acting.approvals.ask(turn, { callId: call.id, toolName: call.name, argumentsJson, reason }));
  events.push({
    type: "approval",
    approvalId: approval.id,
    callId: call.id,
    toolName: call.name,
    argumentsPreview: approval.argumentsPreview,
    reason: approval.reason,
  });
  const decided = await turn.outsideSlot(() => acting.approvals.decision(approval, turn.signal));
  if (decided.state !== "approved") return refusal(decided);
  // The wait may have been long enough for another process to think this one dead: then that one runs the call.
  await turn.lease?.check();
  return undefined;
}

/** Runs one call to its result; throws only when the turn was cancelled or the store failed. */
async function runCall(
  turn: Turn,
  call: ToolCall,
  acting: Acting,
  events: Channel<TurnEvent>,
): Promise<void> {
  const prepared = acting.sandbox.prepare(call.name, call.arguments, call.problem);
  let result = prepared.ok ? undefined : prepared.result;
  if (prepared.ok) {
    const ruling = rule(prepared.name, prepared.effect, acting.rules);
    if (ruling.kind === "refuse") result = failed(ruling.text, ruling.reason);
    else if (ruling.kind === "ask")
      result = await askFirst(turn, call, prepared, ruling.reason, acting, events);
    else if (turn.resumed && prepared.effect !== "reads") result = unknownOutcome;
  }
  const of = { callId: call.id, toolName: call.name };
  const argumentsPreview = preview(prepared.ok ? prepared.argumentsJson : call.arguments);
  events.push({ type: "tool_start", ...of, argumentsPreview });
  const begin = performance.now();
  if (result === undefined && prepared.ok) {
    const { sessionId, principal } = turn;
    result = await prepared.run({
      caller: {
        turnId: turn.id,
        callId: call.id,
        principal: principal.name,
        ...(sessionId && { sessionId }),
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
  events.push({
    type: "tool_result",
    ...of,
    text: result.text,
    resultStatus: result.status,
    ...(result.reason !== undefined && { reason: result.reason }),
    durationMs: Math.round(performance.now() - begin),
    message: toolMessage(call.id, result.text),
  });
}

/** Runs the calls of one step side by side and tells what happens as it happens. */
export async function* act(turn: Turn, calls: readonly ToolCall[], acting: Acting): AsyncIterable<TurnEvent> {
  const events = createChannel<TurnEvent>();
  const queue = calls.values();
  const work = async () => {
    for (const call of queue) await runCall(turn, call, acting, events);
  };
  const workers = Array.from({ length: Math.min(acting.parallelCalls, calls.length) }, work);
  // All are waited for even when one fails, so that nothing of this turn runs on behind its end.
  void Promise.allSettled(workers).then((ends) => {
    const bad = ends.find((end) => end.status === "rejected");
    if (bad === undefined) events.close();
    else events.fail(bad.reason);
  });
  yield* events;
}
