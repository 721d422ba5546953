import * as v from "valibot";
import { plainRequest } from "../../agent/turn.ts";
import { AppError } from "../../errors.ts";
import * as sessions from "../../store/sessions.ts";
import type { Tx } from "../../store/tx.ts";
import * as turns from "../../store/turns.ts";
import { checkMayOpen, MessageId, SessionId } from "../ids.ts";
import { ownSession } from "../owned.ts";
import { defineLines, defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const of = v.object({ session: SessionId });

const Session = v.object({
  id: v.string(),
  owner: v.string(),
  channel: v.string(),
  model: v.optional(v.string()),
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

const get = defineOperation({
  name: "sessions.get",
  http: "GET /api/sessions/:session",
  scope: "own-session",
  summary: "One session. `cursor` is where its log stands, `turn` what runs or waits first in it.",
  params: of,
  result: v.object({ ...Session.entries, cursor: v.string(), turn: v.optional(v.string()) }),
  run: async ({ session }, context) => {
    const found = await ownSession(context, context.principal, session);
    return { ...found, cursor: `${found.lastEvent}`, turn: context.turns.current(session) };
  },
});

const Entry = v.object({
  id: v.string(),
  parentId: v.optional(v.string()),
  turnId: v.optional(v.string()),
  createdAt: v.number(),
  /** The chat message, as OpenAI has it. */
  message: v.looseObject({ role: v.string() }),
});

/** The stored bytes are of our own making; the schema of the operation looks at what comes of them. */
const toEntry = ({
  id,
  parentId,
  turnId,
  createdAt,
  message,
}: sessions.Entry): v.InferInput<typeof Entry> => ({
  id,
  parentId,
  turnId,
  createdAt,
  message: JSON.parse(message.json),
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
  run: ({ session, ...page }, context) => {
    const running = context.turns.current(session);
    return context.store.read(async (tx) => {
      // The cursor is read first: an event that comes in between is told again, and none is missed.
      const cursor = `${(await sessions.find(tx, session))?.lastEvent ?? 0}`;
      const turn = await currentTurn(tx, running);
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
    await checkMayOpen(store, session);
    if (model !== undefined) await models.check(model, signal);
    const accepted = await context.turns.accept(
      {
        sessionId: session,
        principal,
        channel,
        text,
        request: model === undefined ? plainRequest : { ...plainRequest, model },
        ...(messageId !== undefined && { messageId }),
      },
      context.listenerFor?.(session),
    );
    const { turnId, sessionId, cursor, repeated } = accepted;
    return { turn: turnId, session: sessionId, cursor, repeated };
  },
});

/** Asked in the commit that changes the session, so that no turn can begin in between. */
async function checkIdle(tx: Tx, session: string) {
  if (!(await turns.hasUnfinished(tx, session))) return;
  throw new AppError(
    "conflict",
    `A turn of session ${session} runs or waits. Cancel it, or try again when it is done.`,
    {
      retryAfterMs: 1000,
    },
  );
}

const reset = defineOperation({
  name: "sessions.reset",
  http: "POST /api/sessions/:session/reset",
  scope: "own-session",
  summary: "Begins the conversation anew; what was said stays in the tree.",
  params: of,
  result: v.object({ reset: v.boolean() }),
  run: ({ session }, { store }) =>
    store.write(async (tx) => {
      await checkIdle(tx, session);
      await sessions.setLeaf(tx, session, null, Date.now());
      return { reset: true };
    }),
});

const remove = defineOperation({
  name: "sessions.delete",
  http: "DELETE /api/sessions/:session",
  scope: "own-session",
  summary: "Deletes all of a session; what it spent stays counted.",
  params: of,
  result: v.object({ deleted: v.boolean() }),
  run: ({ session }, { store }) =>
    store.write(async (tx) => {
      await checkIdle(tx, session);
      return { deleted: await sessions.remove(tx, session) };
    }),
});

const mostExportCharacters = 64 * 1024 * 1024;

const exportLines = defineLines({
  name: "sessions.export",
  http: "GET /api/sessions/:session/export",
  scope: "own-session",
  summary: "The current path as JSON Lines: the session, then its messages, oldest first.",
  params: of,
  async *lines({ session }, context) {
    const { lastEvent: _, ...found } = await ownSession(context, context.principal, session);
    const newestFirst: string[] = [];
    let characters = 0;
    let cursor: string | undefined;
    do {
      const page = await context.store.read((tx) =>
        sessions.messages(tx, session, pageOf({ cursor, limit: 200 })),
      );
      for (const { id, parentId, turnId, createdAt, message } of page.items.toReversed()) {
        const rest = JSON.stringify({ type: "message", id, parentId, turnId, createdAt });
        // The stored text goes out as it is.
        const line = `${rest.slice(0, -1)},"message":${message.json}}\n`;
        characters += line.length;
        if (characters > mostExportCharacters) {
          throw new AppError(
            "payload_too_large",
            "This session is too long to be exported at once: page through its messages.",
          );
        }
        newestFirst.push(line);
      }
      cursor = page.next;
    } while (cursor !== undefined);
    yield `${JSON.stringify({ type: "session", ...found })}\n`;
    yield* newestFirst.toReversed();
  },
});

export const sessionOperations: readonly Operation[] = [list, get, history, send, reset, remove, exportLines];
