import type { Context } from "hono";
import { AppError } from "../../errors.ts";
import { readJson } from "../body.ts";
import type { App, Env } from "../call.ts";
import { timeLimited } from "../operations/operation.ts";
import type { GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";
import { approverOf, createBeginnings, sessionOf } from "./begin.ts";
import { type AnswerHead, wholeAnswer } from "./chat-answer.ts";
import { ChatRequest } from "./chat-request.ts";
import { streamChunks } from "./chat-stream.ts";
import { checkResults, lastUserText, newInput, transcriptOf, turnRequestOf } from "./chat-turn.ts";

/** `GET /v1/models` and `POST /v1/chat/completions`. */
export function openAiRoutes(app: App, parts: GatewayParts, isDraining: () => boolean): void {
  const { settings, models } = parts;
  const begin = createBeginnings(parts, isDraining);

  function runOnce(c: Context<Env>, body: ChatRequest) {
    const { messages } = body;
    const entries = transcriptOf(messages);
    if (entries.length === 0)
      throw new AppError("bad_request", "At least one message must be the user's.", { param: "messages" });
    checkResults(entries, [], "messages");
    return begin.once(c, {
      text: lastUserText(messages),
      entries,
      request: turnRequestOf(body, approverOf(c)),
    });
  }

  app.post("/v1/chat/completions", async (c) => {
    const body = await readJson(c.req.raw, ChatRequest, settings.maxBodyBytes);
    const { signal } = c.req.raw;
    if (body.model && body.model !== "openclaw") await models.check(body.model, signal);
    const sessionId = sessionOf(c);
    const stream = body.stream === true;
    const { turnId, events } =
      sessionId === undefined
        ? runOnce(c, body)
        : await begin.kept(c, {
            ...newInput(body.messages),
            sessionId,
            stream,
            request: turnRequestOf(body, approverOf(c)),
          });
    const head: AnswerHead = {
      id: `chatcmpl-${turnId}`,
      created: Math.floor(Date.now() / 1000),
      model: body.model || "openclaw",
    };
    if (stream) {
      const options = {
        tools: c.req.header("x-openclaw-events") !== "none",
        usage: body.stream_options?.include_usage === true,
      };
      return streamChunks(events, { head, options, call: c.env, requestId: turnId, signal: c.env.gone });
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
