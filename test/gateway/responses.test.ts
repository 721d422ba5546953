import { expect, test } from "bun:test";
import OpenAI from "openai";
import type { Turn, TurnEvent } from "../../src/agent/turn.ts";
import { AppError, cancelled } from "../../src/errors.ts";
import { assistantMessage, toolMessage } from "../../src/llm/message.ts";
import {
  aliceToken,
  bobToken,
  operatorToken,
  startGateway,
  type TestGateway,
} from "./helpers/gateway-server.ts";
import { done, fails, plays, said, step, text, toolCall, usage, waits } from "./helpers/runs.ts";
import { noticed, slowStore } from "./helpers/slow-store.ts";

const path = "/v1/responses";

const client = (gateway: TestGateway, apiKey = operatorToken) =>
  new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });

const failureOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => "no failure",
    (thrown) => thrown,
  );

/** Answers each turn with the next list of events, and keeps the turns. */
function scripted(...answers: readonly (readonly TurnEvent[])[]) {
  const turns: Turn[] = [];
  return {
    turns,
    async *run(turn: Turn) {
      const answer = answers[turns.length] ?? [text("ok"), said("ok"), done()];
      turns.push(turn);
      yield* answer;
    },
  };
}

const sent = (turn: Turn | undefined) => turn?.entries.map(({ json }) => JSON.parse(json));

const weather = {
  type: "function" as const,
  name: "weather",
  description: null,
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: true,
};
const call = { id: "call_9", name: "weather", arguments: '{"city":"Graz"}' };
const asksWeather = [
  { type: "message", message: assistantMessage("", [call]), usage, model: "small" } as const,
  done({ finishReason: "tool_calls", clientCalls: [call] }),
];

/** Each event as the stream had it, after a look at its shape. */
async function eventsOf(response: Response) {
  const blocks = (await response.text()).split("\n\n").filter((block) => block.startsWith("event: "));
  return blocks.map((block) => {
    const [event = "", data = ""] = block.split("\n");
    const told = JSON.parse(data.slice("data: ".length));
    expect(event).toBe(`event: ${told.type}`);
    return told;
  });
}

test("the openai package reads a whole response, and finds it again", async () => {
  await using gateway = await startGateway();
  const { responses } = client(gateway);

  const response = await responses.create({ model: "small", input: "hello", metadata: { a: "b" } });

  expect(response).toMatchObject({
    object: "response",
    status: "completed",
    model: "small",
    error: null,
    incomplete_details: null,
    metadata: { a: "b" },
    store: true,
    usage: {
      input_tokens: 7,
      output_tokens: 3,
      total_tokens: 10,
      input_tokens_details: { cached_tokens: 2 },
      output_tokens_details: { reasoning_tokens: 1 },
    },
  });
  expect(response.output_text).toBe("You said: hello");
  expect(response.output).toMatchObject([
    { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text" }] },
  ]);
  expect(await responses.retrieve(response.id)).toMatchObject({ id: response.id, output: response.output });
  await responses.delete(response.id);
  expect(await failureOf(responses.retrieve(response.id))).toBeInstanceOf(OpenAI.NotFoundError);
});

test("the openai package reads a stream with its own accumulator", async () => {
  await using gateway = await startGateway({
    run: plays(
      { type: "reasoning", text: "Hm." },
      text("Let me "),
      text("look."),
      done({ finishReason: "tool_calls", clientCalls: [call] }),
    ),
  });

  const stream = client(gateway).responses.stream({ model: "small", input: "hello", tools: [weather] });
  const pieces: string[] = [];
  stream.on("response.output_text.delta", ({ delta }) => void pieces.push(delta));
  const response = await stream.finalResponse();

  expect(pieces).toEqual(["Let me ", "look."]);
  expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
  expect(response.output_text).toBe("Let me look.");
  expect(response.output[2]).toMatchObject({ call_id: "call_9", name: "weather", arguments: call.arguments });
});

test("a stream tells its events in the official order, numbered from 1 without a gap, and no [DONE]", async () => {
  await using gateway = await startGateway({
    run: plays(
      step(1),
      { type: "reasoning", text: "Hm." },
      text("noon"),
      done({ finishReason: "tool_calls", clientCalls: [call] }),
    ),
  });

  const response = await gateway.post(path, { input: "hi", stream: true });
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  const events = await eventsOf(response);

  expect(events.map(({ type }) => type.replace("response.", ""))).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "content_part.added",
    "reasoning_text.delta",
    "reasoning_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
    "completed",
  ]);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index + 1));
  expect(events.flatMap((event) => event.output_index ?? [])).toEqual(
    [0, 1, 2].flatMap((index) => Array(index === 2 ? 4 : 6).fill(index)),
  );
  const finished = events.at(-1).response;
  expect(events.filter(({ type }) => type.endsWith("item.done")).map(({ item }) => item)).toEqual(
    finished.output,
  );
  expect(await (await gateway.ask(`${path}/${finished.id}`)).json()).toEqual(finished);
});

test("what the model says in two steps stands in paragraphs of its own, streamed and not", async () => {
  await using gateway = await startGateway({
    run: plays(step(1), text("Let me see."), ...toolCall(), step(2), text("It is noon."), done()),
  });

  const whole = await (await gateway.post(path, { input: "hi" })).json();
  const events = await eventsOf(await gateway.post(path, { input: "hi", stream: true }));

  expect(whole.output[0].content[0].text).toBe("Let me see.\n\nIt is noon.");
  expect(events.at(-1).response.output[0].content[0].text).toBe("Let me see.\n\nIt is noon.");
});

test("an answer that was cut is incomplete, and says why", async () => {
  for (const [finishReason, reason] of [
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ] as const) {
    await using gateway = await startGateway({ run: plays(text("x"), done({ finishReason })) });
    const whole = await (await gateway.post(path, { input: "hi" })).json();
    const events = await eventsOf(await gateway.post(path, { input: "hi", stream: true }));
    expect(whole).toMatchObject({ status: "incomplete", incomplete_details: { reason } });
    expect(events.at(-1)).toMatchObject({ type: "response.incomplete", response: { status: "incomplete" } });
  }
});

test("a failure before the first event is a status, and after it response.failed", async () => {
  const failure = new AppError("budget_exceeded", "It is spent.");
  {
    await using gateway = await startGateway({ run: fails(failure) });
    for (const stream of [false, true]) {
      const response = await gateway.post(path, { input: "hi", stream });
      expect([response.status, (await response.json()).error.code]).toEqual([402, "budget_exceeded"]);
    }
  }
  await using gateway = await startGateway({
    async *run() {
      yield text("half");
      throw failure;
    },
  });
  const events = await eventsOf(await gateway.post(path, { input: "hi", stream: true }));
  expect(events.at(-1)).toMatchObject({
    type: "response.failed",
    response: {
      status: "failed",
      error: { code: "budget_exceeded", message: "It is spent." },
      output: [{ type: "message", status: "incomplete", content: [{ text: "half" }] }],
    },
  });
  expect((await gateway.ask(`${path}/${events.at(-1).response.id}`)).status).toBe(404);
});

test("a function call is answered with nothing but its output, by previous_response_id", async () => {
  const { turns, run } = scripted(asksWeather);
  await using gateway = await startGateway({ run });
  const { responses } = client(gateway);

  const asked = await responses.create({ model: "small", input: "Graz?", tools: [weather] });
  const [item] = asked.output;
  const answered = await responses.create({
    model: "small",
    previous_response_id: asked.id,
    input: [
      {
        type: "function_call_output",
        call_id: item?.type === "function_call" ? item.call_id : "",
        output: "sunny",
      },
    ],
    tools: [weather],
  });

  expect(answered).toMatchObject({ previous_response_id: asked.id, output_text: "ok" });
  expect(turns[0]?.request.clientTools).toEqual([
    {
      name: "weather",
      json: JSON.stringify({
        type: "function",
        function: { name: "weather", parameters: weather.parameters, strict: true },
      }),
    },
  ]);
  expect(sent(turns[1])).toEqual([
    { role: "user", content: "Graz?" },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "call_9", type: "function", function: { name: "weather", arguments: call.arguments } },
      ],
    },
    { role: "tool", tool_call_id: "call_9", content: "sunny" },
  ]);
});

test("one response can be continued in two ways, and each sees what came before it alone", async () => {
  const { turns, run } = scripted();
  await using gateway = await startGateway({ run });
  const create = async (body: object) => (await (await gateway.post(path, body)).json()).id;

  const root = await create({
    input: [
      { role: "developer", content: "Be kind." },
      { role: "user", content: "one" },
    ],
  });
  const left = await create({ input: "left", previous_response_id: root, instructions: "Be brief." });
  const right = await create({ input: "right", previous_response_id: root });
  await create({ input: "more", previous_response_id: left });

  const contents = (at: number) => sent(turns[at])?.map(({ content }) => content);
  expect(contents(2)).toEqual(["one", "ok", "right"]);
  expect(contents(3)).toEqual(["one", "ok", "left", "ok", "more"]);
  // Instructions are those of one request; what the input said stays said.
  expect(turns[1]?.request.clientSystem).toEqual(["Be brief.", "Be kind."]);
  expect(turns[3]?.request.clientSystem).toEqual(["Be kind."]);

  await gateway.ask(`${path}/${root}`, { method: "DELETE" });
  const broken = await gateway.post(path, { input: "x", previous_response_id: right });
  expect([broken.status, (await broken.json()).error.message]).toEqual([
    404,
    `Cannot continue response ${right}: ${root}, which it continues, was deleted.`,
  ]);
});

test("what our own tools did is part of what the next response continues", async () => {
  const message = toolMessage("c1", "noon");
  const own = { id: "c1", name: "time", arguments: "{}" };
  const { turns, run } = scripted([
    step(1),
    { type: "message", message: assistantMessage("", [own]), usage, model: "small" },
    {
      type: "tool_result",
      callId: "c1",
      toolName: "time",
      text: "noon",
      resultStatus: "ok",
      durationMs: 1,
      message,
    },
    text("It is noon."),
    said("It is noon."),
    done(),
  ]);
  await using gateway = await startGateway({ run });

  const { id } = await (await gateway.post(path, { input: "time?" })).json();
  await gateway.post(path, { input: "sure?", previous_response_id: id });

  expect(sent(turns[1])?.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant", "user"]);
});

test("a response is its owner's, and nobody else's to read, delete or continue", async () => {
  await using gateway = await startGateway();
  const { id } = await (await gateway.post(path, { input: "mine" }, { token: aliceToken })).json();
  const statuses = async (token: string) => [
    (await gateway.ask(`${path}/${id}`, { token })).status,
    (await gateway.post(path, { input: "x", previous_response_id: id }, { token })).status,
    (await gateway.ask(`${path}/${id}`, { token, method: "DELETE" })).status,
  ];

  expect(await statuses(bobToken)).toEqual([404, 404, 404]);
  expect(await statuses(aliceToken)).toEqual([200, 200, 200]);
  expect(await statuses(operatorToken)).toEqual([404, 404, 404]);
});

test("store: false keeps nothing", async () => {
  await using gateway = await startGateway();
  const response = await (await gateway.post(path, { input: "x", store: false })).json();
  expect(response.store).toBe(false);
  expect((await gateway.ask(`${path}/${response.id}`)).status).toBe(404);
});

test("input items become the messages that they stand for; what we do not know is left out", async () => {
  const { turns, run } = scripted();
  await using gateway = await startGateway({ run });
  const input = [
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "look" },
        { type: "input_image", image_url: "https://x.example/i.png", detail: "low" },
      ],
    },
    { type: "reasoning", id: "rs_1", summary: [] },
    { role: "assistant", content: [{ type: "output_text", text: "I see.", annotations: [] }] },
    { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
    { type: "function_call", call_id: "b", name: "g", arguments: "{}" },
    { type: "function_call_output", call_id: "b", output: [{ type: "input_text", text: "two" }] },
    { type: "function_call_output", call_id: "a", output: "one" },
  ];

  expect((await gateway.post(path, { input })).status).toBe(200);

  expect(sent(turns[0])).toMatchObject([
    {
      role: "user",
      content: [
        { type: "text", text: "look" },
        { type: "image_url", image_url: { url: "https://x.example/i.png", detail: "low" } },
      ],
    },
    { role: "assistant", content: "I see.", tool_calls: [{ id: "a" }, { id: "b" }] },
    { role: "tool", tool_call_id: "b", content: "two" },
    { role: "tool", tool_call_id: "a", content: "one" },
  ]);
});

test("parameters reach the model by the names of chat completions", async () => {
  const { turns, run } = scripted();
  await using gateway = await startGateway({ run });
  const schema = { type: "object" };

  await gateway.post(path, {
    ...{ input: "x", model: "maker/large", temperature: 0.5, top_p: null, max_output_tokens: 9 },
    text: { format: { type: "json_schema", name: "answer", schema, strict: true }, verbosity: "low" },
    reasoning: { effort: "high", summary: "auto" },
    tools: [weather, { type: "web_search" }],
    tool_choice: { type: "function", name: "weather" },
    truncation: "auto",
  });

  expect(turns[0]?.request).toMatchObject({ model: "maker/large", approver: "none" });
  expect(turns[0]?.request.parameters).toEqual({
    temperature: 0.5,
    max_completion_tokens: 9,
    response_format: { type: "json_schema", json_schema: { name: "answer", schema, strict: true } },
    verbosity: "low",
    reasoning_effort: "high",
    tool_choice: { type: "function", function: { name: "weather" } },
  });
});

test("what cannot be answered truly is refused, naming the field", async () => {
  await using gateway = await startGateway();
  const refused = async (body: object, headers = {}) => {
    const response = await gateway.post(path, body, { headers });
    const { error } = await response.json();
    return [response.status, error.param];
  };
  const image = (image_url: string) => ({ role: "user", content: [{ type: "input_image", image_url }] });

  expect(await refused({})).toEqual([400, "input"]);
  expect(await refused({ input: [] })).toEqual([400, "input"]);
  expect(await refused({ input: "x", model: "huge" })).toEqual([404, "model"]);
  expect(await refused({ input: "x", conversation: "c1" })).toEqual([400, "conversation"]);
  expect(await refused({ input: "x", prompt: { id: "p" } })).toEqual([400, "prompt"]);
  expect(await refused({ input: [{ type: "item_reference", id: "msg_1" }] })).toEqual([400, "input.0"]);
  for (const url of ["http://x.example/i.png", "file:///etc/passwd"])
    expect(await refused({ input: [image(url)] })).toEqual([400, "input.0.content.0.image_url"]);
  expect(await refused({ input: [{ type: "function_call_output", call_id: "no", output: "x" }] })).toEqual([
    400,
    "input",
  ]);
  expect(await refused({ input: "x", previous_response_id: "resp_none" })).toEqual([
    404,
    "previous_response_id",
  ]);
  expect(
    await refused({ input: "x", previous_response_id: "resp_1" }, { "x-openclaw-session-id": "s" }),
  ).toEqual([400, "previous_response_id"]);
});

test("a kept session that is named holds the conversation itself", async () => {
  await using gateway = await startGateway();
  const headers = { "x-openclaw-session-id": "kept" };

  const first = await (await gateway.post(path, { input: "one" }, { headers })).json();
  const events = await eventsOf(await gateway.post(path, { input: "two", stream: true }, { headers }));

  expect([first.status, first.store]).toEqual(["completed", false]);
  expect(events.at(-1).type).toBe("response.completed");
  const history = await (await gateway.ask("/api/sessions/kept/messages")).json();
  expect(history.items.map(({ message }: { message: { content: string } }) => message.content)).toEqual([
    "one",
    "You said: one",
    "two",
    "You said: two",
  ]);
});

test("a client that leaves while what it continues is read begins no turn", async () => {
  for (const stream of [false, true]) {
    const slow = slowStore();
    let begun = 0;
    await using gateway = await startGateway({
      instead: ({ store }) => ({ store: slow.over(store) }),
      async *run() {
        begun++;
        yield text("ok");
        yield said("ok");
        yield done();
      },
    });
    const first = await (await gateway.post(path, { input: "x" })).json();
    slow.hold();
    const leaving = new AbortController();
    const request = gateway.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "y", previous_response_id: first.id, stream }),
      signal: leaving.signal,
    });
    await slow.reading;
    leaving.abort();
    await expect(request).rejects.toThrow();
    await noticed(gateway);
    slow.release();
    await noticed(gateway);

    expect(begun).toBe(1);
  }
});

test("a client that goes away ends the turn of its response", async () => {
  for (const stream of [false, true]) {
    const waiting = waits();
    await using gateway = await startGateway({ run: waiting.run });
    const controller = new AbortController();
    const request = gateway.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "x", stream }),
      signal: controller.signal,
    });
    request.catch(() => {});
    await waiting.begun;

    controller.abort(cancelled());

    await waiting.ended;
  }
});
