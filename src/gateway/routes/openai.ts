import type { Context } from "hono";
import * as v from "valibot";
import { AppError, cancelled, stopping } from "../../errors.ts";
import type { AnswerEvent } from "../answer-text.ts";
import { readJson } from "../body.ts";
import { type App, type Env, principalOf } from "../call.ts";
import { check } from "../check.ts";
import { checkMayOpen, MessageId, SessionId } from "../ids.ts";
import { createInbox, type Inbox } from "../inbox.ts";
import type { GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";
import { timeLimited } from "../operations/operation.ts";
import { type AnswerHead, wholeAnswer } from "./chat-answer.ts";
import { ChatRequest } from "./chat-request.ts";
import { streamAnswer } from "./chat-stream.ts";
import { lastUserText, newInput, transcriptOf, turnRequestOf } from "./chat-turn.ts";

/** The events of a turn, and the id that it goes by. */
interface Begun {
  readonly turnId: string;
  readonly events: AsyncIterable<AnswerEvent>;
}

/** Of the events of a turn that is answered whole: nobody reads them slowly, but one that is told again comes all at once. */
const mostWholeBytes = 64 * 1024 * 1024;

const SessionHeader = v.optional(SessionId);
const KeyHeader = v.optional(MessageId);

/** `GET /v1/models` and `POST /v1/chat/completions`. `isDraining`: no turn without a session begins any more. */
export function openAiRoutes(app: App, parts: GatewayParts, isDraining: () => boolean): void {
  const { settings, store, turns, models } = parts;

  /** A turn that keeps nothing: the request is its history, and it ends when the client goes. */
  function runOnce(c: Context<Env>, body: ChatRequest): Begun {
    if (isDraining()) throw stopping();
    const { messages } = body;
    const entries = transcriptOf(messages);
    if (entries.length === 0)
      throw new AppError("bad_request", "At least one message must be the user's.", { param: "messages" });
    const turnId = Bun.randomUUIDv7();
    const controller = new AbortController();
    const leave = () => controller.abort(cancelled("The client went away."));
    c.req.raw.signal.addEventListener("abort", leave, { once: true });
    const events = parts.run({
      id: turnId,
      principal: principalOf(c),
      channel: "openai",
      text: lastUserText(messages),
      entries,
      request: turnRequestOf(body, approverOf(c)),
      resumed: false,
      signal: controller.signal,
      outsideSlot: (wait) => wait(),
    });
    return { turnId, events };
  }

  /** A turn of a kept session, which goes on whoever listens. */
  async function accept(c: Context<Env>, body: ChatRequest, sessionId: string): Promise<Begun> {
    await checkMayOpen(store, sessionId);
    const messageId = check(KeyHeader, c.req.header("idempotency-key"));
    const inbox = createInbox(body.stream ? settings.sendBufferBytes : mostWholeBytes);
    const { turnId } = await turns.accept(
      {
        sessionId,
        principal: principalOf(c),
        channel: "openai",
        ...newInput(body.messages),
        request: turnRequestOf(body, approverOf(c)),
        ...(messageId !== undefined && { messageId }),
      },
      inbox.listener,
    );
    c.req.raw.signal.addEventListener("abort", inbox.close, { once: true });
    return { turnId, events: eventsOf(inbox, c.req.raw.signal) };
  }

  app.post("/v1/chat/completions", async (c) => {
    const body = await readJson(c.req.raw, ChatRequest, settings.maxBodyBytes);
    const { signal } = c.req.raw;
    if (body.model && body.model !== "openclaw") await models.check(body.model, signal);
    const session = check(SessionHeader, c.req.header("x-openclaw-session-id"));
    const { turnId, events } = session === undefined ? runOnce(c, body) : await accept(c, body, session);
    const head: AnswerHead = {
      id: `chatcmpl-${turnId}`,
      created: Math.floor(Date.now() / 1000),
      model: body.model || "openclaw",
    };
    if (body.stream) {
      const options = {
        tools: c.req.header("x-openclaw-events") !== "none",
        usage: body.stream_options?.include_usage === true,
      };
      return streamAnswer(events, { head, options, call: c.env, requestId: turnId, signal });
    }
    c.env.setSlow(true);
    try {
      return json(await wholeAnswer(events, head), 200, { "x-request-id": turnId });
    } finally {
      c.env.setSlow(false);
    }
  });

  const listed = async (c: Context<Env>) => {
    const signal = timeLimited(c.req.raw.signal);
    const created = Math.floor(parts.startedAt / 1000);
    return (await models.list(signal)).map(({ id, provider }) => ({
      id,
      object: "model",
      created,
      owned_by: provider,
    }));
  };

  app.get("/v1/models", async (c) => json({ object: "list", data: await listed(c) }));

  // A model's id may have slashes in it.
  app.get("/v1/models/:id{.+}", async (c) => {
    const id = c.req.param("id");
    const found = (await listed(c)).find((model) => model.id === id);
    if (found === undefined)
      throw new AppError("model_not_found", `There is no model ${id}. GET /v1/models lists them.`, {
        param: "model",
      });
    return json(found);
  });
}

const approverOf = (c: Context<Env>) =>
  c.req.header("x-openclaw-approvals") === "wait" ? "requester" : "none";

async function* eventsOf(inbox: Inbox, signal: AbortSignal): AsyncIterable<AnswerEvent> {
  for await (const { event } of inbox) yield event;
  if (signal.aborted) throw cancelled("The client went away; the turn of its session goes on.");
}
