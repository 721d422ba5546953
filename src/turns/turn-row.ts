import * as v from "valibot";
import { plainRequest, type Turn, type TurnRequest } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { type Message, toolMessage, userMessage } from "../llm/message.ts";
import { storable } from "../store/storable.ts";
import type { TurnRow } from "../store/turns.ts";
import type { NewTurn } from "./turns.ts";

/** How a turn's request and its own messages are kept in its row, and read back after a restart. */

const StoredCause = v.variant("kind", [
  v.object({ kind: v.literal("job"), jobId: v.string(), slot: v.number() }),
  v.object({ kind: v.literal("webhook"), name: v.string() }),
  v.object({
    kind: v.literal("delegate"),
    turnId: v.string(),
    callId: v.string(),
    depth: v.number(),
    sessionId: v.optional(v.string()),
    root: v.object({ turnId: v.string(), sessionId: v.optional(v.string()) }),
    above: v.array(v.string()),
    limits: v.array(v.object({ turnId: v.string(), tokens: v.number() })),
  }),
]);

const StoredRequest = v.object({
  model: v.optional(v.string()),
  parameters: v.record(v.string(), v.unknown()),
  clientTools: v.array(v.object({ name: v.string(), json: v.string() })),
  clientSystem: v.array(v.string()),
  toolsOn: v.boolean(),
  agent: v.optional(v.string()),
  onlyTools: v.optional(v.array(v.string())),
  maxSteps: v.optional(v.number()),
  maxTokens: v.optional(v.number()),
  cause: v.optional(StoredCause),
  trace: v.optional(v.string()),
  approver: v.picklist(["requester", "none"]),
});

const StoredInput = v.object({
  content: v.optional(v.array(v.looseObject({}))),
  results: v.optional(v.array(v.object({ callId: v.string(), content: v.string() })), []),
});

const StoredDelivery = v.object({
  channel: v.string(),
  recipient: v.string(),
  answersOnly: v.optional(v.boolean()),
});

const plainText = JSON.stringify(plainRequest);

export const storeRequest = (request: TurnRequest) =>
  request === plainRequest ? plainText : JSON.stringify(request);

export const readRequest = (json: string): TurnRequest =>
  json === plainText ? plainRequest : v.parse(StoredRequest, JSON.parse(json));

/** What is kept beside the text: content parts, and results of the client's tools. Undefined: the text is all. */
export const storeInput = ({ content, results }: Pick<NewTurn, "content" | "results">) =>
  content === undefined && (results === undefined || results.length === 0)
    ? undefined
    : JSON.stringify({ content, results });

/** Throws `key_reused` when a message is not the one that a row was accepted with. */
export function checkSame(row: TurnRow, turn: NewTurn): void {
  if (row.text === storable(turn.text) && row.input === storeInput(turn)) return;
  throw new AppError(
    "key_reused",
    `The key ${String(turn.messageId)} was used in this session for another message: send a new one with this.`,
  );
}

/** The messages that a turn adds to its session's path: results of the client's tools, then what the user says. */
export function ownMessages(input: Pick<NewTurn, "text" | "content" | "results">): Message[] {
  const { text, content, results = [] } = input;
  const answers = results.map((result) => toolMessage(result.callId, result.content));
  const says = content ?? text;
  return says.length === 0 && answers.length > 0 ? answers : [...answers, userMessage(says)];
}

/** The turn of a row that an earlier process accepted. */
export function turnFromRow(row: TurnRow, signal: AbortSignal): Turn {
  const input = row.input === undefined ? { results: [] } : v.parse(StoredInput, JSON.parse(row.input));
  return {
    id: row.id,
    sessionId: row.sessionId,
    principal: { name: row.principal, scope: row.scope },
    channel: row.channel,
    text: row.text,
    entries: ownMessages({ ...input, text: row.text }),
    request: readRequest(row.request),
    resumed: row.startedAt !== undefined,
    signal,
    outsideSlot: (wait) => wait(),
    ...(row.delivery !== undefined && { delivery: v.parse(StoredDelivery, JSON.parse(row.delivery)) }),
  };
}
