import * as v from "valibot";

const Call = v.object({ id: v.string(), function: v.object({ name: v.string(), arguments: v.string() }) });
const ChatBody = v.looseObject({
  model: v.string(),
  messages: v.array(
    v.looseObject({
      role: v.string(),
      content: v.optional(v.unknown()),
      tool_calls: v.optional(v.array(Call)),
      tool_call_id: v.optional(v.string()),
    }),
  ),
  tools: v.optional(v.array(v.looseObject({ function: v.looseObject({ name: v.string() }) })), []),
  stream: v.optional(v.boolean(), false),
});
export type ChatBody = v.InferOutput<typeof ChatBody>;

/** One chat completion that was asked for. */
export interface SeenRequest {
  readonly body: ChatBody;
  /** The bytes of the body as text. */
  readonly raw: string;
  readonly headers: Headers;
  /** The client's port: the same for requests over one connection. */
  readonly port: number | undefined;
  /** Resolves when the client goes away before it has the whole answer. */
  readonly aborted: Promise<void>;
}

/** What the model does with one request; an empty step answers with nothing. */
export interface Step {
  /** The answer, or its tokens. */
  readonly text?: string | readonly string[];
  readonly reasoning?: string;
  readonly calls?: readonly {
    readonly id?: string;
    readonly name: string;
    readonly arguments: string | object;
  }[];
  readonly finishReason?: string;
  /** Default: 10 in, one out for each token; `null`: the server does not say. */
  readonly usage?: { readonly input: number; readonly output: number } | null;
  /** Awaited before each token (or part of `rawBytes`), by its index: how a test decides when it goes out. */
  readonly gate?: (index: number) => unknown;
  /** Answers with this status instead. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body, instead of a completion. */
  readonly body?: string;
  /** These bytes one after the other as the stream, instead of a completion. */
  readonly rawBytes?: readonly (string | Uint8Array)[];
  /** Says nothing more: before the headers, or after what the step has sent. */
  readonly hang?: "headers" | "body";
  /** The stream ends after so many tokens, cleanly but without finish reason, or by a broken connection. */
  readonly closeAfter?: number;
  readonly closeHow?: "end" | "reset";
}

/** Steps in order (a request beyond them is answered 500), or a function of the request. */
export type Script = readonly Step[] | ((body: ChatBody, index: number) => Step | Promise<Step>);

export interface ModelServer extends AsyncDisposable {
  /** Base URL for `MODEL_PROVIDER_ENDPOINT`, ends in `/v1`. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Resolves when a client goes away in the middle for the first time. */
  readonly aborted: Promise<void>;
  /** Requests that are being answered. */
  pending(): number;
  close(): Promise<void>;
}

export interface ModelServerOptions {
  readonly models?: readonly string[];
  /** How many requests are kept to look at; default: all. */
  readonly keep?: number;
}

/** An OpenAI-compatible model server on loopback that does what `script` says and writes down what it was asked. */
export function scriptedModel(script: Script, options: ModelServerOptions = {}): ModelServer {
  const requests: SeenRequest[] = [];
  let seen = 0;
  const firstAbort = Promise.withResolvers<void>();
  const closed = new AbortController();

  async function chat(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const raw = await request.text();
    const body = v.safeParse(ChatBody, JSON.parse(raw));
    if (!body.success) return problem(400, v.summarize(body.issues));
    const gone = Promise.withResolvers<void>();
    // A client in a hurry is gone before its body was read.
    void until(request.signal).then(() => (gone.resolve(), firstAbort.resolve()));
    const index = seen++;
    const { headers } = request;
    const port = server.requestIP(request)?.port;
    requests.push({ body: body.output, raw, headers, port, aborted: gone.promise });
    if (requests.length > (options.keep ?? Number.POSITIVE_INFINITY)) requests.shift();
    const step = typeof script === "function" ? await script(body.output, index) : script[index];
    if (!step) return problem(500, `The script has no step ${index + 1}.`);
    return answer(step, body.output, AbortSignal.any([request.signal, closed.signal]));
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    routes: {
      "/v1/models": () =>
        Response.json({
          object: "list",
          data: (options.models ?? ["scripted"]).map((id) => ({ id, object: "model" })),
        }),
      "/v1/chat/completions": { POST: chat },
    },
    fetch: (request) => problem(404, `No route ${new URL(request.url).pathname}.`),
  });
  const close = async () => {
    closed.abort();
    await server.stop(true);
  };
  const url = `http://127.0.0.1:${server.port}/v1`;
  const pending = () => server.pendingRequests;
  return { url, requests, aborted: firstAbort.promise, pending, close, [Symbol.asyncDispose]: close };
}

const problem = (status: number, message: string, headers: Step["headers"] = {}) =>
  Response.json({ error: { message, type: "scripted" } }, { status, headers });

const until = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function answer(step: Step, body: ChatBody, signal: AbortSignal): Promise<Response> {
  const { status = 200, headers = {} } = step;
  if (step.hang === "headers") await until(signal);
  if (step.body !== undefined) return new Response(step.body, { status, headers });
  if (status !== 200) return problem(status, `Scripted ${status}.`, headers);
  if (!body.stream && !step.rawBytes) return Response.json(await completion(step, body), { headers });
  return new Response(
    stream(step.rawBytes ? rawParts(step.rawBytes, step) : chunks(step, body), step, signal),
    {
      headers: { "content-type": "text/event-stream", ...headers },
    },
  );
}

const tokensOf = ({ text = [] }: Step) => (typeof text === "string" ? [text] : text);
const reasonOf = (step: Step) => step.finishReason ?? (step.calls?.length ? "tool_calls" : "stop");
const callsOf = (step: Step) =>
  step.calls?.map((call, index) => ({
    index,
    id: call.id ?? `call_${index}`,
    type: "function",
    function: {
      name: call.name,
      arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
function usageOf(step: Step) {
  if (step.usage === null) return undefined;
  const { input, output } = step.usage ?? { input: 10, output: tokensOf(step).length };
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

async function completion(step: Step, { model }: ChatBody) {
  for (const index of tokensOf(step).keys()) await step.gate?.(index);
  const message = {
    role: "assistant",
    content: tokensOf(step).join("") || null,
    ...(step.reasoning && { reasoning_content: step.reasoning }),
    ...(step.calls && { tool_calls: callsOf(step) }),
  };
  const choices = [{ index: 0, message, finish_reason: reasonOf(step) }];
  return {
    id: "chatcmpl-scripted",
    object: "chat.completion",
    created: 1,
    model,
    choices,
    usage: usageOf(step),
  };
}

async function* chunks(step: Step, { model }: ChatBody) {
  const event = (fields: object) =>
    `data: ${JSON.stringify({ id: "chatcmpl-scripted", object: "chat.completion.chunk", created: 1, model, ...fields })}\n\n`;
  const delta = (delta: object, finish_reason: string | null = null) =>
    event({ choices: [{ index: 0, delta, finish_reason }] });
  yield delta({ role: "assistant", content: "" });
  if (step.reasoning) yield delta({ reasoning_content: step.reasoning });
  for (const [index, content] of tokensOf(step).entries()) {
    if (index === step.closeAfter) return;
    await step.gate?.(index);
    yield delta({ content });
  }
  if (step.closeAfter !== undefined || step.hang === "body") return;
  for (const call of callsOf(step) ?? []) yield delta({ tool_calls: [call] });
  yield delta({}, reasonOf(step));
  const usage = usageOf(step);
  if (usage) yield event({ choices: [], usage });
  yield "data: [DONE]\n\n";
}

async function* rawParts(parts: readonly (string | Uint8Array)[], step: Step) {
  for (const [index, part] of parts.entries()) {
    await step.gate?.(index);
    yield part;
  }
}

function stream(parts: AsyncIterable<string | Uint8Array>, step: Step, signal: AbortSignal) {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      for await (const part of parts) {
        if (signal.aborted) return;
        controller.enqueue(typeof part === "string" ? encoder.encode(part) : part);
        // Lets each part travel on its own.
        await Bun.sleep(0);
      }
      if (step.hang === "body") await until(signal);
      if (signal.aborted) return;
      if (step.closeHow === "reset") controller.error();
      else controller.close();
    },
  });
}
