import type { Context } from "hono";
import * as v from "valibot";
import type { TurnRequest } from "../../agent/turn.ts";
import { stopping } from "../../errors.ts";
import type { Message } from "../../llm/message.ts";
import { startGatewaySpan } from "../../turns/traced-accept.ts";
import type { NewTurn } from "../../turns/turns.ts";
import type { AnswerEvent } from "../answer-text.ts";
import { type Env, principalOf } from "../call.ts";
import { check } from "../check.ts";
import { checkMayOpen, MessageId, SessionId } from "../ids.ts";
import { createInbox, type Inbox } from "../inbox.ts";
import type { GatewayParts } from "../parts.ts";
import { readable } from "./json-answer.ts";

/** The events of a turn, and the id that it goes by. */
export interface Begun {
  readonly turnId: string;
  readonly events: AsyncIterable<AnswerEvent>;
}

/** Of the events of a turn that is answered whole: nobody reads them slowly, but of one that runs in another process many come at once. */
const mostWholeBytes = 64 * 1024 * 1024;

const SessionHeader = v.optional(SessionId);
const KeyHeader = v.optional(MessageId);

/** The kept session that a request names. */
export const sessionOf = (c: Context<Env>) => check(SessionHeader, c.req.header("x-openclaw-session-id"));

/** Whether a call that needs an approval asks the client, or is denied at once. */
export const approverOf = (c: Context<Env>): TurnRequest["approver"] =>
  c.req.header("x-openclaw-approvals") === "wait" ? "requester" : "none";

/** How a request on the OpenAI surfaces becomes a turn. `isDraining`: no turn without a session begins any more. */
export function createBeginnings(parts: GatewayParts, isDraining: () => boolean) {
  const { settings, store, turns } = parts;
  return {
    /** A turn that keeps nothing: the request is its history, and it ends when the client goes. */
    once(c: Context<Env>, of: { text: string; entries: readonly Message[]; request: TurnRequest }): Begun {
      if (isDraining()) throw stopping();
      const { gone } = c.env;
      // It may have left while the store was read.
      gone.throwIfAborted();
      const turnId = Bun.randomUUIDv7();
      const trace = c.req.header("traceparent");
      const { span, request } = startGatewaySpan({ channel: "openai", trace, request: of.request });
      const events = parts.run({
        id: turnId,
        principal: principalOf(c),
        channel: "openai",
        ...of,
        request,
        resumed: false,
        signal: gone,
        outsideSlot: (wait) => wait(),
      });
      span?.end();
      return { turnId, events: readable(events, request) };
    },

    /** A turn of a kept session, which goes on whoever listens. */
    async kept(
      c: Context<Env>,
      of: Pick<NewTurn, "sessionId" | "text" | "content" | "results" | "request"> & { stream: boolean },
    ): Promise<Begun> {
      const { stream, ...input } = of;
      await checkMayOpen(store, principalOf(c), input.sessionId);
      // The log of a session keeps the text alone.
      const { logprobs: _, top_logprobs: __, ...parameters } = input.request.parameters;
      const messageId = check(KeyHeader, c.req.header("idempotency-key"));
      const inbox = createInbox(stream ? settings.sendBufferBytes : mostWholeBytes);
      const { turnId } = await turns.accept(
        {
          ...input,
          request: { ...input.request, parameters },
          principal: principalOf(c),
          channel: "openai",
          trace: c.req.header("traceparent"),
          ...(messageId !== undefined && { messageId, refuseOther: true }),
        },
        inbox.listener,
      );
      const { gone } = c.env;
      gone.addEventListener("abort", inbox.close, { once: true });
      // It left before anybody listened.
      if (gone.aborted) inbox.close();
      return { turnId, events: readable(eventsOf(inbox, gone), input.request) };
    },
  };
}

async function* eventsOf(inbox: Inbox, gone: AbortSignal): AsyncIterable<AnswerEvent> {
  for await (const { event } of inbox) {
    gone.throwIfAborted();
    yield event;
  }
  // The turn of its session goes on.
  gone.throwIfAborted();
}
