import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { operations } from "./operations/index.ts";
import type { AnySchema, Operation } from "./operations/operation.ts";
import { ChatRequest } from "./routes/chat-request.ts";
import { ResponseRequest } from "./routes/response-request.ts";

/** What a schema takes, as JSON schema; what JSON schema cannot say is left out. */
const schemaOf = (schema: AnySchema) => {
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" });
  return rest;
};

const content = (type: string, schema: object) => ({ content: { [type]: { schema } } });
const errorResponse = {
  description: "What was wrong, why, and what to do.",
  ...content("application/json", { $ref: "#/components/schemas/Error" }),
};
const ok = (description: string, body: object = {}) => ({
  responses: { "200": { description, ...body }, default: errorResponse },
});

function parametersOf({ params, path, method }: Operation) {
  const inPath = (name: string) => path.includes(`:${name}`);
  const entries: [string, v.GenericSchema][] = Object.entries(params.entries);
  const optional = (schema: v.GenericSchema) => schema.type === "optional";
  const described = entries.filter(([name]) => inPath(name) || method === "GET" || method === "DELETE");
  const body = entries.filter((entry) => !described.includes(entry));
  return {
    parameters: described.map(([name, schema]) => ({
      name,
      in: inPath(name) ? "path" : "query",
      required: inPath(name) || !optional(schema),
      schema: schemaOf(schema),
    })),
    ...(body.length > 0 && {
      requestBody: {
        required: body.some(([, schema]) => !optional(schema)),
        ...content("application/json", {
          type: "object",
          properties: Object.fromEntries(body.map(([name, schema]) => [name, schemaOf(schema)])),
          required: body.flatMap(([name, schema]) => (optional(schema) ? [] : [name])),
        }),
      },
    }),
  };
}

function resultOf(operation: Operation): object {
  if (operation.kind === "answer") return content("application/json", schemaOf(operation.result));
  const types = operation.kind === "events" ? ["text/event-stream"] : Object.values(operation.formats);
  return Object.assign({}, ...types.map((type) => content(type, { type: "string" })));
}

const describeOperation = (operation: Operation) => ({
  operationId: operation.name,
  summary: operation.summary,
  "x-scope": operation.scope,
  ...parametersOf(operation),
  ...ok("The answer.", resultOf(operation)),
});

/** Routes that are no operations. */
const otherRoutes = {
  "/health": { get: { summary: "The process is alive.", security: [], ...ok("Alive.") } },
  "/health/live": { get: { summary: "The process is alive.", security: [], ...ok("Alive.") } },
  "/health/ready": {
    get: {
      summary: "New turns are taken.",
      security: [],
      responses: {
        "200": { description: "Ready." },
        "503": { description: "Not ready; `failing` says what." },
      },
    },
  },
  "/metrics": { get: { summary: "Counters since the start.", ...ok("Counters.") } },
  "/openapi.json": { get: { summary: "This document.", ...ok("This document.") } },
  "/ws": {
    get: {
      summary: "WebSocket: plain text or envelopes.",
      responses: { "101": { description: "Switched to WebSocket." }, default: errorResponse },
    },
  },
  "/doctor": { get: { summary: "What the server finds when it looks at itself.", ...ok("The report.") } },
  "/doctor/text": { get: { summary: "The same for people.", ...ok("The report.") } },
  "/auth/login": {
    post: { summary: "Trades a token for a login cookie.", security: [], ...ok("Logged in.") },
  },
  "/auth/logout": { post: { summary: "Clears the login cookie.", ...ok("Logged out.") } },
  "/tools/approve": {
    post: { summary: "Decides an approval (query: approvalId, approved).", ...ok("Recorded.") },
  },
  "/v1/models": { get: { summary: "Models, as OpenAI lists them.", ...ok("Models.") } },
};

const headers = (...names: string[]) =>
  names.map((name) => ({ name, in: "header", schema: { type: "string" } }));

const responses = () => ({
  post: {
    summary: "A turn of the agent, as an OpenAI response; it is kept for its owner unless `store` is false.",
    parameters: headers("X-OpenClaw-Session-Id", "X-OpenClaw-Approvals", "Idempotency-Key"),
    requestBody: { required: true, ...content("application/json", schemaOf(ResponseRequest)) },
    ...ok("A response, or a stream of its events."),
  },
});

const response = {
  parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
  get: { summary: "A response that was kept.", ...ok("The response.") },
  delete: { summary: "Deletes a response that was kept.", ...ok("Deleted.") },
};

const chatCompletions = () => ({
  post: {
    summary: "A turn of the agent, as an OpenAI chat completion.",
    parameters: headers(
      "X-OpenClaw-Session-Id",
      "X-OpenClaw-Approvals",
      "X-OpenClaw-Events",
      "Idempotency-Key",
    ),
    requestBody: { required: true, ...content("application/json", schemaOf(ChatRequest)) },
    ...ok("A completion, or a stream of its chunks."),
  },
});

const errorSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type", "code"],
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        code: { type: "string" },
        param: { type: ["string", "null"] },
      },
    },
  },
};

/** The OpenAPI document of everything that this server answers to. */
export function describeApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {
    ...otherRoutes,
    "/v1/chat/completions": chatCompletions(),
    "/v1/responses": responses(),
    "/v1/responses/{id}": response,
  };
  for (const operation of operations) {
    const path = operation.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describeOperation(operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "openclaw", version },
    security: [{ bearer: [] }],
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Error: errorSchema },
    },
    paths,
  };
}
