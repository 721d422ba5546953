import type { ToolCall } from "../llm/message.ts";
import type { AuditEvent, AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Turn, TurnEvent } from "./turn.ts";

type ToolResultEvent = Extract<TurnEvent, { type: "tool_result" }>;

/** Writes rows of turns without a session; those of a kept turn come with the commits of its runner. */
export type RecordCalls = (events: readonly AuditEvent[]) => Promise<void>;

export const createRecordCalls =
  (store: Store, audit: AuditTrail): RecordCalls =>
  (events) =>
    store.write(async (tx) => {
      for (const event of events) await audit.record(tx, event);
    });

/** Of what a call said when it did not go well; what it gave when it did is the conversation's business. */
const longestText = 300;

const of = ({ id, sessionId, principal }: Turn) => ({
  principal: principal.name,
  turnId: id,
  ...(sessionId !== undefined && { sessionId }),
});

/** What the model asked for; a client's own tools are the client's business. */
export function requested(turn: Turn, calls: readonly ToolCall[]): AuditEvent[] {
  const { clientTools } = turn.request;
  return calls
    .filter(({ name }) => clientTools.every((tool) => tool.name !== name))
    .map((call) => ({
      ...of(turn),
      kind: "call",
      outcome: "requested",
      callId: call.id,
      tool: call.name,
      detail: { arguments: call.arguments },
    }));
}

/** How a call ended. What was denied is a refusal. */
export function ended(turn: Turn, event: ToolResultEvent): AuditEvent {
  const { callId, toolName, resultStatus, reason, durationMs, lent, grant, text } = event;
  return {
    ...of(turn),
    kind: resultStatus === "denied" ? "refusal" : "call",
    outcome: resultStatus,
    callId,
    tool: toolName,
    detail: {
      durationMs,
      ...(reason !== undefined && { reason }),
      ...(lent !== undefined && { lent }),
      ...(grant !== undefined && { grant }),
      ...(resultStatus !== "ok" && { text: text.slice(0, longestText) }),
    },
  };
}

/** Calls that the end of their turn cut off: by id, their tools. What they did is not known. */
export const cutOff = (turn: Turn, open: ReadonlyMap<string, string>, why: string): AuditEvent[] =>
  [...open].map(([callId, tool]) => ({
    ...of(turn),
    kind: "call",
    outcome: "cut_off",
    callId,
    tool,
    detail: { reason: why },
  }));

/** Passes the events of a step of a turn without a session on, and writes its rows meanwhile. */
export async function* recorded(
  turn: Turn,
  calls: readonly ToolCall[],
  events: AsyncIterable<TurnEvent>,
  record: RecordCalls,
): AsyncIterable<TurnEvent> {
  const open = new Map(calls.map(({ id, name }) => [id, name]));
  await record(requested(turn, calls));
  try {
    for await (const event of events) {
      if (event.type === "tool_result") {
        await record([ended(turn, event)]);
        open.delete(event.callId);
      }
      yield event;
    }
  } finally {
    if (open.size > 0) await record(cutOff(turn, open, "the turn ended"));
  }
}
