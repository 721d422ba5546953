import * as v from "valibot";
import { readRequest } from "../../turns/turn-row.ts";
import type { SessionEvent } from "../../turns/turns.ts";
import { TurnId } from "../ids.ts";
import { ownTurn } from "../owned.ts";
import { defineEvents, defineOperation, type Operation } from "./operation.ts";

const of = v.object({ turn: TurnId });

/** What began a turn, where that was no message of a person. */
const Cause = v.variant("kind", [
  v.object({ kind: v.literal("job"), jobId: v.string(), slot: v.number() }),
  v.object({ kind: v.literal("webhook"), name: v.string() }),
  v.object({
    kind: v.literal("delegate"),
    turnId: v.string(),
    callId: v.string(),
    depth: v.number(),
    sessionId: v.optional(v.string()),
  }),
]);

const get = defineOperation({
  name: "turns.get",
  http: "GET /api/turns/:turn",
  scope: "own-turn",
  summary: "What a turn is doing, or how it ended.",
  params: of,
  result: v.object({
    id: v.string(),
    session: v.string(),
    messageId: v.optional(v.string()),
    channel: v.string(),
    state: v.string(),
    /** The profile that was asked for. */
    agent: v.optional(v.string()),
    cause: v.optional(Cause),
    error: v.optional(v.object({ code: v.string(), message: v.string() })),
    usage: v.object({ inputTokens: v.number(), outputTokens: v.number() }),
    /** Its events follow this place in the session's log. */
    cursor: v.string(),
    /** Where the session stood before its message, an entry or `root`; absent while nothing of it is in the tree. */
    before: v.optional(v.string()),
    createdAt: v.number(),
    startedAt: v.optional(v.number()),
    endedAt: v.optional(v.number()),
  }),
  async run({ turn }, context) {
    const row = await ownTurn(context, context.principal, turn);
    const { errorCode: code, errorMessage: message = "", inputTokens, outputTokens } = row;
    const { agent, cause } = readRequest(row.request);
    return {
      ...row,
      agent,
      cause,
      session: row.sessionId,
      usage: { inputTokens, outputTokens },
      cursor: `${row.firstEvent}`,
      before: row.userEntryId === undefined ? undefined : (row.baseLeafId ?? "root"),
      error: code === undefined ? undefined : { code, message },
    };
  },
});

const cancel = defineOperation({
  name: "turns.cancel",
  http: "POST /api/turns/:turn/cancel",
  scope: "own-turn",
  summary: "Ends a turn that waits or runs; its session stays. `cancelled` is false when it had ended.",
  params: of,
  result: v.object({ cancelled: v.boolean() }),
  run: async ({ turn }, { turns }) => ({ cancelled: await turns.cancel(turn) }),
});

const events = defineEvents({
  name: "turns.events",
  http: "GET /api/turns/:turn/events",
  scope: "own-turn",
  summary: "The events of a turn, from its beginning or after a cursor (`Last-Event-ID`), to its end.",
  params: v.object({ turn: TurnId, after: v.optional(v.pipe(v.string(), v.maxLength(64))) }),
  async follow({ turn, after }, context, listener) {
    const row = await ownTurn(context, context.principal, turn);
    const hear = (event: SessionEvent) => {
      if (event.turnId === turn) listener(event);
    };
    const ear = Object.assign(hear, { room: listener.room });
    const stop = await context.turns.follow(row.sessionId, after ?? `${row.firstEvent}`, ear);
    return { stop, over: row.endedAt !== undefined };
  },
});

export const turnOperations: readonly Operation[] = [get, cancel, events];
