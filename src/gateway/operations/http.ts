import type { Context } from "hono";
import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { type App, type Env, principalOf } from "../call.ts";
import { readJson } from "../body.ts";
import { createInbox } from "../inbox.ts";
import type { GatewayParts } from "../parts.ts";
import { errorBody, json, safeHeaders, toPublic } from "../respond.ts";
import { eventStreamHeaders, streamResponse } from "../stream.ts";
import { toEnvelopes } from "../wire.ts";
import { operations } from "./index.ts";
import { type Asked, contextOf, type Formats, type Operation } from "./operation.ts";

const JsonObject = v.record(v.string(), v.unknown());

const hasBody = (request: Request) =>
  request.body !== null &&
  request.method !== "GET" &&
  request.method !== "HEAD" &&
  request.method !== "DELETE";

/** Parameters come from the query, the body and the path; what the path says counts. */
async function paramsOf(c: Context<Env>, maxBodyBytes: number): Promise<object> {
  const request = c.req.raw;
  const body = hasBody(request) ? await readJson(request, JsonObject, maxBodyBytes) : {};
  return { ...c.req.query(), ...body, ...c.req.param() };
}

const askedBy = (c: Context<Env>): Asked => ({
  principal: principalOf(c),
  channel: "http",
  trace: c.req.header("traceparent"),
  gone: c.req.raw.signal,
});

type Act<Kind> = Extract<Operation, { kind: Kind }>;

async function answer(c: Context<Env>, operation: Act<"answer">, parts: GatewayParts): Promise<Response> {
  const params = await paramsOf(c, parts.settings.maxBodyBytes);
  return json(await operation.run(params, contextOf(parts, askedBy(c))));
}

/** Nothing would ever read what a HEAD request starts. */
function checkReads(c: Context<Env>) {
  if (c.req.raw.method === "HEAD") throw new AppError("method_not_allowed", "Ask for this with GET.");
}

/** Server-sent events; `id` is the cursor, so that a browser which comes back goes on where it was. */
async function tell(c: Context<Env>, operation: Act<"events">, parts: GatewayParts): Promise<Response> {
  checkReads(c);
  const after = c.req.header("last-event-id");
  const params = {
    ...(await paramsOf(c, parts.settings.maxBodyBytes)),
    ...(after !== undefined && { after }),
  };
  const inbox = createInbox(parts.settings.sendBufferBytes);
  const following = operation.follow(params, contextOf(parts, askedBy(c)), inbox.listener);
  following.then(({ over }) => over && inbox.close(), inbox.fail);
  const { gone } = c.env;
  const end = () => {
    inbox.close();
    following.then(({ stop }) => stop()).catch(() => {});
  };
  // A refusal comes before the first event, while the status can still say so; a long log is read as the client reads.
  await Promise.race([following, inbox.begun]);
  gone.addEventListener("abort", end, { once: true });
  // It may have left while the store was read.
  if (gone.aborted) {
    end();
    throw gone.reason;
  }
  return streamResponse(c.env, {
    headers: eventStreamHeaders,
    heartbeat: ": keep-alive\n\n",
    async run(write) {
      try {
        for await (const event of inbox) {
          // What waits is not for a token that is no longer valid.
          if (gone.aborted) break;
          const envelopes = toEnvelopes(event);
          const frames = envelopes.map((envelope) => `data: ${envelope}\n\n`);
          // On the last one only: who saw the first of two and comes back gets both again.
          await write(`${frames.slice(0, -1).join("")}id: ${event.cursor}\n${frames.at(-1)}`);
        }
      } catch (error) {
        const told = errorBody(toPublic(error, operation.name, Bun.randomUUIDv7()));
        await write(`event: error\ndata: ${JSON.stringify(told)}\n\n`);
      } finally {
        end();
      }
    },
  });
}

/** The content type of the format that was asked for; a format that there is not was refused before. */
const contentTypeOf = (formats: Formats, params: object) => {
  const wanted = "format" in params ? String(params.format) : undefined;
  return (wanted === undefined ? undefined : formats[wanted]) ?? Object.values(formats)[0] ?? "text/plain";
};

async function writeLines(c: Context<Env>, operation: Act<"lines">, parts: GatewayParts): Promise<Response> {
  checkReads(c);
  const { gone } = c.env;
  const params = await paramsOf(c, parts.settings.maxBodyBytes);
  const lines = operation.lines(params, contextOf(parts, askedBy(c)))[Symbol.asyncIterator]();
  // A refusal comes before the first line, while the status can still say so.
  const first = await lines.next();
  return streamResponse(c.env, {
    headers: { ...safeHeaders, "content-type": contentTypeOf(operation.formats, params) },
    async run(write) {
      for (let next = first; !next.done; next = await lines.next()) {
        gone.throwIfAborted();
        await write(next.value);
      }
    },
  });
}

/** Makes a route of each operation. */
export function operationRoutes(app: App, parts: GatewayParts): void {
  for (const operation of operations) {
    app.on(operation.method, operation.path, (c) => {
      if (operation.kind === "answer") return answer(c, operation, parts);
      return operation.kind === "events" ? tell(c, operation, parts) : writeLines(c, operation, parts);
    });
  }
}
