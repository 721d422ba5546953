import * as v from "valibot";
import { isNestedDeeper } from "../llm/nesting.ts";
import { DecisionScope, Note } from "./operations/approvals.ts";
import { ApprovalId, MessageId, SessionId } from "./ids.ts";

const mostNesting = 100;

/** Clients of OpenClaw.NET may send what they do not set as null. */
const maybe = <Schema extends v.GenericSchema<unknown, string>>(schema: Schema) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );

const UserMessage = v.pipe(
  v.object({
    type: v.literal("user_message"),
    text: maybe(v.string()),
    content: maybe(v.string()),
    messageId: maybe(MessageId),
    replyToMessageId: maybe(v.string()),
    sessionId: maybe(SessionId),
    traceparent: maybe(v.string()),
  }),
  v.transform(({ text, content, ...rest }) => ({ ...rest, text: text ?? content ?? "" })),
);

/** What a client may send in envelope mode. */
const frames = {
  user_message: UserMessage,
  tool_approval_decision: v.object({
    type: v.literal("tool_approval_decision"),
    approvalId: ApprovalId,
    approved: v.boolean(),
    messageId: maybe(MessageId),
    note: v.nullish(Note),
    scope: v.nullish(DecisionScope),
  }),
  heartbeat: v.object({ type: v.literal("heartbeat") }),
  cancel: v.object({ type: v.literal("cancel"), messageId: maybe(MessageId), sessionId: maybe(SessionId) }),
  resume: v.object({
    type: v.literal("resume"),
    sessionId: SessionId,
    after: maybe(v.pipe(v.string(), v.maxLength(64))),
  }),
  request: v.object({
    type: v.literal("request"),
    id: v.union([v.pipe(v.string(), v.maxLength(256)), v.number()]),
    method: v.pipe(v.string(), v.maxLength(100)),
    params: v.nullish(v.record(v.string(), v.unknown()), {}),
  }),
};

export type FrameType = keyof typeof frames;
export type ClientFrame = { [Type in FrameType]: v.InferOutput<(typeof frames)[Type]> }[FrameType];

export const ClientFrame = v.variant("type", [
  frames.user_message,
  frames.tool_approval_decision,
  frames.heartbeat,
  frames.cancel,
  frames.resume,
  frames.request,
]);

/** What a text frame is, before anybody asks whether its fields are right. */
export type Reading =
  /** No JSON: something said. */
  | { readonly kind: "text" }
  /** JSON that is none of our envelopes, or is nested too deep to be looked at. */
  | { readonly kind: "other_json" }
  /** An envelope by its type; `value` is yet to be checked. */
  | { readonly kind: "envelope"; readonly value: object };

const isFrameType = (type: unknown) => typeof type === "string" && Object.hasOwn(frames, type);

export function readFrame(text: string): Reading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "text" };
  }
  if (typeof value !== "object" || value === null || !("type" in value) || !isFrameType(value.type)) {
    return { kind: "other_json" };
  }
  return isNestedDeeper(text, mostNesting) ? { kind: "other_json" } : { kind: "envelope", value };
}

/** What can be told of a refused envelope to its sender: the id of the message it was. */
export const messageIdOf = (value: object): string | undefined =>
  "messageId" in value && typeof value.messageId === "string" ? value.messageId : undefined;
