import * as v from "valibot";
import { plainRequest } from "../../agent/turn.ts";
import * as rules from "../../store/approval-rules.ts";
import { beginErase, nothingErased } from "../../store/retention.ts";
import * as sessions from "../../store/sessions.ts";
import type { Tx } from "../../store/tx.ts";
import * as turns from "../../store/turns.ts";
import { eraseSession } from "../../turns/retention.ts";
import { readRequest } from "../../turns/turn-row.ts";
import { checkMayOpen, MessageId, SessionId } from "../ids.ts";
import { ownSession } from "../owned.ts";
import { Entry, toEntry } from "./entry.ts";
import { exportSession } from "./export.ts";
import { checkIdle } from "./idle.ts";
import type { GatewayParts } from "../parts.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const of = v.object({ session: SessionId });

const Session = v.object({
  id: v.string(),
  owner: v.string(),
  channel: v.string(),
  model: v.optional(v.string()),
  /** The beginning of what was said first. */
  title: v.optional(v.string()),
  createdAt: v.number(),
  updatedAt: v.number(),
});

const list = defineOperation({
  name: "sessions.list",
  http: "GET /api/sessions",
  scope: "chat",
  summary: "Sessions, the one used last first: one's own, for the operator all.",
  params: v.object({ cursor: PageCursor, limit: Limit }),
  result: pageSchema(Session),
  run: (page, { store, principal }) => {
    const owner = principal.scope === "operator" ? {} : { owner: principal.name };
    return store.read((tx) => sessions.list(tx, { ...pageOf(page), ...owner }));
  },
});

/** The call that the session of a delegate was opened for. */
async function parentOf({ store }: Pick<GatewayParts, "store">, session: string) {
  const row = await store.read((tx) => turns.findFirst(tx, session));
  const cause = row && readRequest(row.request).cause;
  if (cause?.kind !== "delegate") return undefined;
  return { turn: cause.turnId, call: cause.callId, session: cause.sessionId };
}

const get = defineOperation({
  name: "sessions.get",
  http: "GET /api/sessions/:session",
  scope: "own-session",
  summary:
    "One session. `cursor` is where its log stands, `turn` what runs or waits first in it, `parent` the call that a delegate works for.",
  params: of,
  result: v.object({
    ...Session.entries,
    cursor: v.string(),
    turn: v.optional(v.string()),
    parent: v.optional(v.object({ turn: v.string(), call: v.string(), session: v.optional(v.string()) })),
  }),
  run: async ({ session }, context) => {
    const found = await ownSession(context, context.principal, session);
    const parent = found.channel === "delegate" ? await parentOf(context, session) : undefined;
    return { ...found, cursor: `${found.lastEvent}`, turn: await context.turns.current(session), parent };
  },
});

/** The turn that runs or waits first, and the cursor that its events follow. */
async function currentTurn(tx: Tx, id: string | undefined) {
  const turn = id === undefined ? undefined : await turns.find(tx, id);
  return turn && { id: turn.id, cursor: `${turn.firstEvent}` };
}

const history = defineOperation({
  name: "sessions.history",
  http: "GET /api/sessions/:session/messages",
  scope: "own-session",
  summary:
    "Messages of the current path, oldest first; the first page is the newest, `next` leads further back.",
  params: v.object({ session: SessionId, cursor: PageCursor, limit: Limit }),
  result: v.object({
    ...pageSchema(Entry).entries,
    cursor: v.string(),
    turn: v.optional(v.object({ id: v.string(), cursor: v.string() })),
  }),
  run: async ({ session, ...page }, context) => {
    const running = await context.turns.current(session);
    return context.store.read(async (tx) => {
      // The cursor is read first: an event that comes in between is told again, and none is missed.
      const cursor = `${(await sessions.find(tx, session))?.lastEvent ?? 0}`;
      // Nor may one that was accepted meanwhile be missed: what it has said already is before that cursor.
      const turn = await currentTurn(tx, running ?? (await turns.firstUnfinished(tx, session)));
      const { items, next } = await sessions.messages(tx, session, pageOf(page));
      return { items: items.map(toEntry), next, cursor, turn };
    });
  },
});

const send = defineOperation({
  name: "sessions.send",
  http: "POST /api/sessions/:session/messages",
  scope: "chat",
  summary:
    "Says something in a session, which is opened when there is none. Answers when it is on disk; events follow.",
  params: v.object({
    session: SessionId,
    text: v.pipe(v.string(), v.nonEmpty()),
    messageId: v.optional(MessageId),
    model: v.optional(v.string()),
  }),
  result: v.object({ turn: v.string(), session: v.string(), cursor: v.string(), repeated: v.boolean() }),
  async run({ session, text, messageId, model }, context) {
    const { store, models, principal, channel, signal } = context;
    await checkMayOpen(store, principal, session);
    if (model !== undefined) await models.check(model, signal);
    const said = {
      sessionId: session,
      principal,
      channel,
      text,
      trace: context.trace,
      request: model === undefined ? plainRequest : { ...plainRequest, model },
      ...(messageId !== undefined && { messageId }),
    };
    const accepted = await (context.accept?.(said) ?? context.turns.accept(said));
    const { turnId, sessionId, cursor, repeated } = accepted;
    return { turn: turnId, session: sessionId, cursor, repeated };
  },
});

const reset = defineOperation({
  name: "sessions.reset",
  http: "POST /api/sessions/:session/reset",
  scope: "own-session",
  summary: "Begins the conversation anew; what was said stays in the tree.",
  params: of,
  result: v.object({ reset: v.boolean() }),
  run: ({ session }, { store }) =>
    store.write(async (tx) => {
      // First, so that no turn begins behind the check.
      await sessions.hold(tx, session);
      await checkIdle(tx, session);
      await sessions.setLeaf(tx, session, null, Date.now());
      await rules.forgetSession(tx, session);
      return { reset: true };
    }),
});

const remove = defineOperation({
  name: "sessions.delete",
  http: "DELETE /api/sessions/:session",
  scope: "own-session",
  summary: "Deletes all of a session and says how much that was; what it spent stays counted.",
  params: of,
  result: v.object({
    deleted: v.boolean(),
    messages: v.number(),
    turns: v.number(),
    events: v.number(),
    branches: v.number(),
  }),
  async run({ session }, { store }) {
    const deleted = await store.write(async (tx) => {
      const marked = await beginErase(tx, session);
      // Behind the mark, which holds the session.
      await checkIdle(tx, session);
      return marked;
    });
    const erased = deleted ? await eraseSession(store, session) : nothingErased;
    return { deleted, ...erased };
  },
});

export const sessionOperations: readonly Operation[] = [
  list,
  get,
  history,
  send,
  reset,
  remove,
  exportSession,
];
