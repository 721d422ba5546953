import { expect, test } from "bun:test";
import OpenAI from "openai";
import type { Turn, TurnEvent } from "../../src/agent/turn.ts";
import { AppError, busy, type ErrorCode } from "../../src/errors.ts";
import {
  aliceToken,
  bobToken,
  operatorToken,
  startGateway,
  type TestGateway,
} from "./helpers/gateway-server.ts";
import { done, fails, plays, said, step, text, toolCall, waits } from "./helpers/runs.ts";

const path = "/v1/chat/completions";
const user = (content: unknown) => ({ role: "user", content });
const hello = { messages: [user("hello")] };

/** Plays the same answer and keeps the turns that it was asked for. */
function records(...events: readonly TurnEvent[]) {
  const turns: Turn[] = [];
  return {
    turns,
    async *run(turn: Turn) {
      turns.push(turn);
      yield* events.length > 0 ? events : [text("ok"), said("ok"), done()];
    },
  };
}

const linesOf = async (response: Response) =>
  (await response.text()).split("\n\n").filter((line) => line !== "");
const chunksOf = (lines: readonly string[]) =>
  lines.filter((line) => line.startsWith("data: {")).map((line) => JSON.parse(line.slice("data: ".length)));

/** What a promise of the package is rejected with; it is no native one. */
const failureOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => "no failure",
    (thrown) => thrown,
  );

const client = (gateway: TestGateway, apiKey = operatorToken) =>
  new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });

test("the openai package reads a whole answer, with the usage of this request", async () => {
  await using gateway = await startGateway();

  const answer = await client(gateway).chat.completions.create({
    model: "small",
    messages: [{ role: "user", content: "hello" }],
  });

  expect(answer.choices[0]).toMatchObject({
    index: 0,
    message: { role: "assistant", content: "You said: hello" },
    finish_reason: "stop",
  });
  expect(answer).toMatchObject({
    object: "chat.completion",
    model: "small",
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
  expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(2);
  expect(answer.id).toBe(`chatcmpl-${answer._request_id}`);
});

test("the openai package reads a stream: role first, pieces as they came, usage when asked for", async () => {
  await using gateway = await startGateway();

  const stream = await client(gateway).chat.completions.create({
    model: "openclaw",
    messages: [{ role: "user", content: "hello" }],
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);

  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content)).toEqual([
    "",
    "You said: ",
    "hello",
    undefined,
    undefined,
  ]);
  expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
  expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason ?? null)).toEqual([
    null,
    null,
    null,
    "stop",
    null,
  ]);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } });
  expect(chunks[0]?.usage).toBeNull();
});

test("the openai package lists models, and finds one whose name has a slash", async () => {
  await using gateway = await startGateway();

  const models = await client(gateway).models.list();
  const one = await client(gateway).models.retrieve("maker/large");

  expect(models.data.map(({ id }) => id)).toEqual(["small", "maker/large"]);
  expect(one).toMatchObject({ id: "maker/large", object: "model", owned_by: "test" });
  expect(await failureOf(client(gateway).models.retrieve("huge"))).toBeInstanceOf(OpenAI.NotFoundError);
});

test("the openai package sees failures as its own error classes", async () => {
  const ask = async (error: Error, stream: boolean) => {
    await using gateway = await startGateway({ run: fails(error) });
    const request = { model: "small", messages: [{ role: "user" as const, content: "hi" }] };
    const create = stream
      ? client(gateway).chat.completions.create({ ...request, stream })
      : client(gateway).chat.completions.create(request);
    return await failureOf(create);
  };
  const cases: [ErrorCode, number, unknown][] = [
    ["conflict", 409, OpenAI.ConflictError],
    ["budget_exceeded", 402, OpenAI.APIError],
    ["step_limit", 422, OpenAI.UnprocessableEntityError],
    ["rate_limited", 429, OpenAI.RateLimitError],
    ["provider_error", 502, OpenAI.InternalServerError],
    ["provider_timeout", 504, OpenAI.InternalServerError],
  ];

  for (const stream of [false, true]) {
    for (const [code, status, errorClass] of cases) {
      const error = await ask(new AppError(code, `It is ${code}.`), stream);
      expect(error).toBeInstanceOf(errorClass);
      expect([error.status, error.code, error.message]).toEqual([status, code, `${status} It is ${code}.`]);
    }
    expect(await ask(busy(), stream)).toMatchObject({ status: 503, code: "busy" });
    expect((await ask(busy(), stream)).headers.get("retry-after")).toBe("1");
    const unknown = await ask(new Error("secret detail"), stream);
    expect(unknown).toBeInstanceOf(OpenAI.InternalServerError);
    expect(unknown.message).not.toContain("secret");
  }
});

test("the openai package sees wrong tokens, unknown models and bad requests as its own error classes", async () => {
  await using gateway = await startGateway();
  const messages = [{ role: "user" as const, content: "hi" }];
  const create = (model: string, apiKey?: string, n = 1) =>
    client(gateway, apiKey).chat.completions.create({ model, messages, n });

  expect(await failureOf(create("small", "wrong-token"))).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(await failureOf(create("huge"))).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await failureOf(create("small", undefined, 2))).toBeInstanceOf(OpenAI.BadRequestError);
  expect(await failureOf(create("huge"))).toMatchObject({ code: "model_not_found", param: "model" });
});

test("a failure after the first byte is one line with the error, and no [DONE]", async () => {
  await using gateway = await startGateway({
    async *run() {
      yield text("half");
      throw new AppError("provider_error", "The model hung up.");
    },
  });

  const response = await gateway.post(path, { ...hello, stream: true });
  const lines = await linesOf(response);

  expect(response.status).toBe(200);
  expect(lines.slice(0, -1).join()).toContain('"content":"half"');
  expect(lines.at(-1)).toBe(
    'data: {"error":{"message":"The model hung up.","type":"server_error","code":"provider_error","param":null}}',
  );
});

test("finish reasons are the true ones", async () => {
  for (const finishReason of ["length", "content_filter"] as const) {
    await using gateway = await startGateway({ run: plays(text("x"), done({ finishReason })) });

    const whole = await (await gateway.post(path, hello)).json();
    const chunks = chunksOf(await linesOf(await gateway.post(path, { ...hello, stream: true })));

    expect(whole.choices[0].finish_reason).toBe(finishReason);
    expect(chunks.at(-1).choices[0].finish_reason).toBe(finishReason);
  }
});

test("calls of the client's own tools end the answer with tool_calls", async () => {
  const clientCalls = [{ id: "call_9", name: "weather", arguments: '{"city":"Graz"}' }];
  await using gateway = await startGateway({ run: plays(done({ finishReason: "tool_calls", clientCalls })) });
  const call = {
    id: "call_9",
    type: "function",
    function: { name: "weather", arguments: '{"city":"Graz"}' },
  };

  const whole = await (await gateway.post(path, hello)).json();
  const chunks = chunksOf(await linesOf(await gateway.post(path, { ...hello, stream: true })));

  expect(whole.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { content: null, tool_calls: [call] },
  });
  expect(chunks[0].choices[0].delta).toMatchObject({ role: "assistant" });
  expect(chunks[1].choices[0].delta).toEqual({ tool_calls: [{ index: 0, ...call }] });
  expect(chunks[2].choices[0].finish_reason).toBe("tool_calls");
});

test("our own tools are told in deltas of their own, unless the client wants none", async () => {
  await using gateway = await startGateway({
    run: plays(step(1), ...toolCall(), step(2), text("noon"), said("noon"), done()),
  });
  const ask = async (headers: Record<string, string>) =>
    chunksOf(await linesOf(await gateway.post(path, { ...hello, stream: true }, { headers }))).map(
      (chunk) => chunk.choices[0].delta,
    );

  const told = await ask({});
  const quiet = await ask({ "x-openclaw-events": "none" });

  expect(told[1]).toEqual({ openclaw_tool_delta: { callId: "call-1", toolName: "time", content: "" } });
  expect(told[2]).toEqual({
    openclaw_tool_delta: { callId: "call-1", toolName: "time", content: "looking" },
  });
  expect(told[3]).toEqual({
    openclaw_tool_result: {
      callId: "call-1",
      toolName: "time",
      content: "noon",
      resultStatus: "ok",
      durationMs: 4,
    },
  });
  expect(quiet).toEqual([{ role: "assistant", content: "" }, { content: "noon" }, {}]);
});

test("what the model says in several steps stands in paragraphs, streamed and whole alike", async () => {
  await using gateway = await startGateway({
    run: plays(step(1), text("Let me look."), ...toolCall(), step(2), text("It is "), text("noon."), done()),
  });

  const whole = await (await gateway.post(path, hello)).json();
  const chunks = chunksOf(await linesOf(await gateway.post(path, { ...hello, stream: true })));

  expect(whole.choices[0].message.content).toBe("Let me look.\n\nIt is noon.");
  expect(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("")).toBe(
    "Let me look.\n\nIt is noon.",
  );
});

test("the transcript of the request is the history of a turn without a session", async () => {
  const { turns, run } = records();
  await using gateway = await startGateway({ run });
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "developer", content: [{ type: "text", text: "Be kind." }] },
    user("first"),
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "not json" } }],
    },
    { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "result" }] },
    { role: "assistant", content: "so it is" },
    user([
      { type: "input_text", text: "look" },
      { type: "image_url", image_url: { url: "https://x.example/i.png", detail: "low" } },
      { type: "input_audio", input_audio: {} },
    ]),
  ];

  expect((await gateway.post(path, { messages })).status).toBe(200);

  const [turn] = turns;
  expect(turn).toMatchObject({
    channel: "openai",
    text: expect.stringContaining("look"),
    request: { clientSystem: ["Be brief.", "Be kind."], approver: "none", toolsOn: true },
  });
  expect(turn?.sessionId).toBeUndefined();
  expect(turn?.entries.map(({ role, callIds }) => [role, ...callIds])).toEqual([
    ["user"],
    ["assistant", "c1"],
    ["tool", "c1"],
    ["assistant"],
    ["user"],
  ]);
  const sent = turn?.entries.map(({ json }) => JSON.parse(json)) ?? [];
  expect(sent[1].tool_calls[0].function).toEqual({ name: "f", arguments: "{}" });
  expect(sent[2]).toEqual({ role: "tool", tool_call_id: "c1", content: "result" });
  expect(sent[4].content).toEqual([
    { type: "text", text: "look" },
    { type: "image_url", image_url: { url: "https://x.example/i.png", detail: "low" } },
    { type: "text", text: expect.stringContaining("input_audio") },
  ]);
});

test("a refusal is read as what the assistant said, as a part and as the field that the openai package sends back", async () => {
  const { turns, run } = records();
  await using gateway = await startGateway({ run });
  const refusal = [{ type: "refusal", refusal: "I will not." }];
  const messages = [
    user("one"),
    { role: "assistant", content: refusal },
    user("two"),
    { role: "assistant", content: null, refusal: "Nor that." },
    user("three"),
  ];

  await gateway.post(path, { messages });

  const sent = turns[0]?.entries.map(({ json }) => JSON.parse(json).content);
  expect(sent).toEqual(["one", "I will not.", "two", "Nor that.", "three"]);
});

test("images are https: or data:, never anything that the server itself would have to fetch", async () => {
  await using gateway = await startGateway();
  const send = async (url: string) =>
    (await gateway.post(path, { messages: [user([{ type: "image_url", image_url: { url } }])] })).status;

  expect(await send("data:image/png;base64,AAAA")).toBe(200);
  for (const url of ["http://x.example/i.png", "file:///etc/passwd", "/etc/passwd", "javascript:1"])
    expect([url, await send(url)]).toEqual([url, 400]);
});

test("parameters, tools and tool_choice reach the turn; what is not known is ignored", async () => {
  const { turns, run } = records();
  await using gateway = await startGateway({ run });
  const weather = {
    type: "function",
    function: { name: "weather", parameters: { type: "object" }, strict: true },
  };
  const request = {
    ...hello,
    model: "maker/large",
    temperature: 0.5,
    max_tokens: 10,
    stop: ["x"],
    seed: null,
    response_format: { type: "json_object" },
    logit_bias: { 5: 1 },
    tools: [weather, { type: "web_search" }],
    tool_choice: { type: "function", function: { name: "weather" } },
  };

  await gateway.post(path, request, { headers: { "x-openclaw-approvals": "wait" } });
  await gateway.post(path, { ...request, tool_choice: "none" });

  expect(turns[0]?.request).toMatchObject({ model: "maker/large", approver: "requester" });
  expect(turns[0]?.request.parameters).toEqual({
    temperature: 0.5,
    max_tokens: 10,
    stop: ["x"],
    response_format: { type: "json_object" },
    tool_choice: request.tool_choice,
  });
  expect(turns[0]?.request.clientTools).toEqual([{ name: "weather", json: JSON.stringify(weather) }]);
  expect(turns[1]?.request).toMatchObject({ toolsOn: false, clientTools: [] });
  expect(turns[1]?.request.parameters.tool_choice).toBeUndefined();
});

test("a kept session takes only what follows the last assistant message, and remembers", async () => {
  await using gateway = await startGateway();
  const headers = { "x-openclaw-session-id": "kept" };

  await gateway.post(path, { messages: [user("one")] }, { headers });
  await gateway.post(
    path,
    { messages: [user("one"), { role: "assistant", content: "You said: one" }, user("two")] },
    { headers },
  );

  const history = await (await gateway.ask("/api/sessions/kept/messages")).json();
  expect(history.items.map(({ message }: { message: { content: string } }) => message.content)).toEqual([
    "one",
    "You said: one",
    "two",
    "You said: two",
  ]);
});

test("a kept session is its owner's: bad ids are 400, somebody else's is 404", async () => {
  await using gateway = await startGateway();
  const send = async (id: string, token: string) =>
    (await gateway.post(path, hello, { token, headers: { "x-openclaw-session-id": id } })).status;

  expect(await send("mine", aliceToken)).toBe(200);
  expect(await send("mine", bobToken)).toBe(404);
  expect(await send("mine", operatorToken)).toBe(200);
  expect(await send("no spaces", aliceToken)).toBe(400);
  expect(await send("job:1", aliceToken)).toBe(400);
});

test("an Idempotency-Key that was seen before in the session is answered again and not run again", async () => {
  const { turns, run } = records();
  await using gateway = await startGateway({ run });
  const headers = { "x-openclaw-session-id": "kept", "idempotency-key": "key-1" };

  const first = await (await gateway.post(path, hello, { headers })).json();
  const second = await (await gateway.post(path, { ...hello, stream: true }, { headers })).text();

  expect(first.choices[0].message.content).toBe("ok");
  expect(second).toContain('"content":"ok"');
  expect(second).toEndWith("data: [DONE]\n\n");
  expect(turns).toHaveLength(1);
});

test("a client that goes away ends a turn without a session, streamed or not", async () => {
  for (const stream of [false, true]) {
    const waiting = waits();
    await using gateway = await startGateway({ run: waiting.run });
    const controller = new AbortController();
    const request = gateway.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...hello, stream }),
      signal: controller.signal,
    });
    request.catch(() => {});
    await waiting.begun;

    controller.abort();

    await waiting.ended;
  }
});

test("a client that goes away does not end a turn of a kept session", async () => {
  const goOn = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using gateway = await startGateway({
    async *run() {
      yield text("half ");
      begun.resolve();
      await goOn.promise;
      yield text("whole");
      yield said("half whole");
      yield done();
    },
  });
  const controller = new AbortController();
  const response = await gateway.ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-openclaw-session-id": "kept" },
    body: JSON.stringify({ ...hello, stream: true }),
    signal: controller.signal,
  });
  const reading = response.text().catch(() => "gone");
  await begun.promise;
  const turn = (await gateway.turns.current("kept")) ?? "";

  controller.abort();
  expect(await reading).toBe("gone");
  goOn.resolve();
  const events = await (await gateway.ask(`/api/turns/${turn}/events`)).text();

  expect(events).toContain('"type":"assistant_done"');
});

test("a request with nothing that the user or the assistant said is refused", async () => {
  await using gateway = await startGateway();

  const response = await gateway.post(path, { messages: [{ role: "system", content: "x" }] });

  expect([response.status, (await response.json()).error.param]).toEqual([400, "messages"]);
});

test("logprobs are told with the text that they belong to, streamed and whole", async () => {
  const token = { token: "noon", logprob: -0.25, bytes: null, top_logprobs: [] };
  const { turns, run } = records({ ...text("noon"), logprobs: [token] } as TurnEvent, text("!"), done());
  await using gateway = await startGateway({ run });
  const request = { ...hello, logprobs: true, top_logprobs: 2 };

  const whole = await (await gateway.post(path, request)).json();
  const chunks = chunksOf(await linesOf(await gateway.post(path, { ...request, stream: true })));
  await gateway.post(path, request, { headers: { "x-openclaw-session-id": "kept" } });

  expect(whole.choices[0].logprobs).toEqual({ content: [token], refusal: null });
  expect(chunks.map((chunk) => chunk.choices[0].logprobs)).toEqual([
    null,
    { content: [token], refusal: null },
    null,
    null,
  ]);
  expect(turns.map((turn) => turn.request.parameters)).toEqual([
    { logprobs: true, top_logprobs: 2 },
    { logprobs: true, top_logprobs: 2 },
    {},
  ]);
});
