import * as v from "valibot";

const of = {
  sessionId: v.optional(v.string()),
  cursor: v.optional(v.string()),
  inReplyToMessageId: v.optional(v.string()),
};
const text = v.optional(v.string(), "");

const Usage = v.object({
  inputTokens: v.optional(v.number(), 0),
  outputTokens: v.optional(v.number(), 0),
  estimated: v.optional(v.boolean(), false),
});
export type Usage = v.InferOutput<typeof Usage>;

const callStates = ["ok", "error", "denied", "timeout"] as const;
export type CallState = (typeof callStates)[number];

const call = { ...of, callId: v.optional(v.string()), toolName: text };

/** What the server sends on `/ws`, as far as this page shows it. */
export const Envelope = v.variant("type", [
  v.object({ type: v.literal("accepted"), ...of, turnId: v.optional(v.string()) }),
  v.object({ type: v.literal("typing_start"), ...of }),
  v.object({ type: v.literal("typing_stop"), ...of }),
  v.object({ type: v.literal("assistant_chunk"), ...of, text }),
  v.object({ type: v.literal("reasoning_chunk"), ...of, text }),
  v.object({ type: v.literal("assistant_message"), ...of, text }),
  v.object({ type: v.literal("assistant_done"), ...of, usage: v.optional(Usage) }),
  v.object({
    type: v.literal("status"),
    ...of,
    code: v.string(),
    text,
    retryInMs: v.optional(v.number()),
    step: v.optional(v.number()),
    maxSteps: v.optional(v.number()),
  }),
  v.object({
    type: v.literal("tool_start"),
    ...call,
    argumentsPreview: text,
    reason: v.optional(v.string()),
  }),
  v.object({ type: v.literal("tool_chunk"), ...call, text }),
  v.object({
    type: v.literal("tool_result"),
    ...call,
    text,
    resultStatus: v.optional(v.picklist(callStates), "ok"),
    reason: v.optional(v.string()),
    durationMs: v.optional(v.number()),
  }),
  v.object({
    type: v.literal("tool_approval_required"),
    ...call,
    approvalId: v.string(),
    argumentsPreview: text,
    pattern: v.optional(v.string()),
    reason: text,
  }),
  v.object({ type: v.literal("error"), ...of, text, code: v.optional(v.string(), "internal") }),
]);
export type Envelope = v.InferOutput<typeof Envelope>;

/** Of what this page sends, only `resume` and `cancel` are refused so: either way what it shows is out of date. */
export const isRefusal = ({ type, sessionId, inReplyToMessageId }: Envelope) =>
  type === "error" && sessionId === undefined && inReplyToMessageId === undefined;

/** The answer to a `request`; told apart from the events, because it belongs to its caller alone. */
export const ResponseFrame = v.object({
  type: v.literal("response"),
  id: v.string(),
  result: v.optional(v.unknown()),
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
});

/** What of `approvals.list` is shown. */
export const OpenApprovals = v.object({
  items: v.array(v.object({ id: v.string(), argumentsJson: v.string() })),
});

/** What this page sends on `/ws`. */
export type Frame =
  | { type: "user_message"; text: string; messageId: string; sessionId: string }
  | { type: "cancel"; sessionId: string }
  | { type: "resume"; sessionId: string; after: string }
  | { type: "request"; id: string; method: string; params: object };
