import type { Context } from "hono";
import { mayAddress } from "../../agent/turn.ts";
import { AppError } from "../../errors.ts";
import { type Message, systemMessage } from "../../llm/message.ts";
import * as responses from "../../store/responses.ts";
import type { AnswerEvent } from "../answer-text.ts";
import { readJson } from "../body.ts";
import { type App, type Env, principalOf } from "../call.ts";
import type { GatewayParts } from "../parts.ts";
import { json, jsonText } from "../respond.ts";
import { approverOf, type Begun, createBeginnings, sessionOf } from "./begin.ts";
import { checkResults, lastUserText, newInput, textOf, transcriptOf, turnRequestOf } from "./chat-turn.ts";
import { headOf } from "./response-head.ts";
import { messagesOf, ResponseRequest, toChatRequest } from "./response-request.ts";
import { type Keep, streamResponseEvents, wholeResponse } from "./response-stream.ts";

/** Of what a response continues: far more than any model reads. */
const mostBefore = 16 * 1024 * 1024;

const noResponse = (id: string, param?: string) =>
  new AppError(
    "not_found",
    `There is no response ${id.slice(0, 100)}.`,
    param === undefined ? {} : { param },
  );

/** What the client said with this request, as it is kept: system texts of the input are part of the conversation. */
function ownMessages(input: ResponseRequest["input"]): Message[] {
  return messagesOf(input).flatMap((message) =>
    message.role === "system" || message.role === "developer"
      ? [systemMessage(textOf(message.content))]
      : transcriptOf([message]),
  );
}

const systemText = ({ json }: Message) => String(JSON.parse(json).content);

/** Passes the events on, and keeps the messages that come of them. */
async function* collecting(events: AsyncIterable<AnswerEvent>, into: Message[]): AsyncIterable<AnswerEvent> {
  for await (const event of events) {
    if ((event.type === "message" || event.type === "tool_result") && "message" in event)
      into.push(event.message);
    yield event;
  }
}

/** `/v1/responses`: each is a turn that runs while its client listens, and is kept for its owner when it has ended. */
export function responseRoutes(app: App, parts: GatewayParts, isDraining: () => boolean): void {
  const { settings, store, models } = parts;
  const begin = createBeginnings(parts, isDraining);

  async function find(c: Context<Env>, id: string, param?: string): Promise<string> {
    const found = await store.read((tx) => responses.find(tx, id));
    if (found === undefined || !mayAddress(principalOf(c), found.owner)) throw noResponse(id, param);
    return found.response;
  }

  async function before(c: Context<Env>, id: string | null | undefined): Promise<readonly Message[]> {
    if (!id) return [];
    await find(c, id, "previous_response_id");
    return store.read((tx) => responses.conversation(tx, id, mostBefore));
  }

  /** A turn whose history is the responses before it. */
  async function once(c: Context<Env>, body: ResponseRequest): Promise<{ begun: Begun; made: Message[] }> {
    const said = ownMessages(body.input);
    const earlier = await before(c, body.previous_response_id);
    const all = [...earlier, ...said];
    const entries = all.filter(({ role }) => role !== "system");
    if (entries.length === 0 || said.length === 0)
      throw new AppError("bad_request", "The input says nothing.", { param: "input" });
    // Of what came before the call may be too long ago to be read again.
    checkResults(said, earlier, "input");
    const chat = toChatRequest(body);
    const request = turnRequestOf(chat, approverOf(c));
    const system = all.filter(({ role }) => role === "system").map(systemText);
    const clientSystem = [...(body.instructions ? [body.instructions] : []), ...system];
    const { turnId, events } = begin.once(c, {
      text: lastUserText(chat.messages),
      entries,
      request: { ...request, clientSystem: clientSystem.filter((text) => text !== "") },
    });
    const made = [...said];
    return { begun: { turnId, events: collecting(events, made) }, made };
  }

  /** A turn of a kept session, which holds what was said before: it is kept there, and not as a response. */
  async function kept(c: Context<Env>, body: ResponseRequest, sessionId: string): Promise<Begun> {
    if (body.previous_response_id)
      throw new AppError(
        "bad_request",
        "A session holds what was said before: leave previous_response_id out.",
        {
          param: "previous_response_id",
        },
      );
    const chat = toChatRequest(body);
    const request = turnRequestOf(chat, approverOf(c));
    return begin.kept(c, { ...newInput(chat.messages), sessionId, stream: body.stream === true, request });
  }

  app.post("/v1/responses", async (c) => {
    const body = await readJson(c.req.raw, ResponseRequest, settings.maxBodyBytes);
    const { signal } = c.req.raw;
    if (body.model && body.model !== "openclaw") await models.check(body.model, signal);
    const sessionId = sessionOf(c);
    const { begun, made } =
      sessionId === undefined
        ? await once(c, body)
        : { begun: await kept(c, body, sessionId), made: undefined };
    const { turnId, events } = begun;
    const isKept = made !== undefined && body.store !== false;
    const head = headOf(body, turnId, isKept);
    const keep: Keep = async (response) => {
      if (!isKept) return;
      const previousId = body.previous_response_id;
      await store.write((tx) =>
        responses.insert(tx, {
          id: head.id,
          owner: principalOf(c).name,
          ...(previousId && { previousId }),
          response: JSON.stringify(response),
          messages: made,
          now: Date.now(),
        }),
      );
    };
    if (body.stream)
      return streamResponseEvents(events, { head, keep, call: c.env, requestId: turnId, signal: c.env.gone });
    c.env.setSlow(true);
    try {
      return json(await wholeResponse(events, head, keep), 200, { "x-request-id": turnId });
    } finally {
      c.env.setSlow(false);
    }
  });

  app.get("/v1/responses/:id", async (c) => jsonText(await find(c, c.req.param("id"))));

  app.delete("/v1/responses/:id", async (c) => {
    const id = c.req.param("id");
    await find(c, id);
    await store.write((tx) => responses.remove(tx, id));
    return json({ id, object: "response", deleted: true });
  });
}
