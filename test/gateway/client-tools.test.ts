import { expect, test } from "bun:test";
import { assistantMessage, toolMessage, userMessage } from "../../src/llm/message.ts";
import * as responses from "../../src/store/responses.ts";
import { operatorToken, startInProcess } from "../helpers/in-process.ts";
import { type Script, scriptedModel } from "../helpers/model-server.ts";
import { startGateway } from "./helpers/gateway-server.ts";
import { type Frame, openSocket } from "./helpers/socket.ts";

const path = "/v1/chat/completions";
const tool = { type: "function", function: { name: "answer", parameters: { type: "object" } } } as const;
const question = { role: "user", content: "q" } as const;
const asks = (id: string) =>
  ({
    role: "assistant",
    content: null,
    tool_calls: [{ id, type: "function", function: { name: "answer", arguments: "{}" } }],
  }) as const;
const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "42" }) as const;
const inSession = (id: string, more: Record<string, string> = {}) => ({
  headers: { "x-openclaw-session-id": id, ...more },
});

async function served(script: Script) {
  const model = scriptedModel(script);
  const server = await startInProcess({
    MODEL_PROVIDER: "openai-compatible",
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  });
  return {
    ...server,
    requests: model.requests,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await model.close();
    },
  };
}

/** A model that calls the client's tool once, and then answers. */
const callsOnce: Script = (_body, index) =>
  index === 0 ? { calls: [{ id: "k1", name: "answer", arguments: {} }] } : { text: `answer ${index}` };

/** The status of an answer, with what was said or what was wrong. */
async function told(asked: Promise<Response>): Promise<[number, string]> {
  const response = await asked;
  const body = await response.json();
  return [response.status, body.error?.message ?? body.choices[0].message.content];
}

test("tool_choice is obeyed behind the result of a client's tool, and free behind those of ours", async () => {
  await using server = await served([
    { text: "a" },
    { calls: [{ name: "time", arguments: {} }] },
    { text: "b" },
  ]);
  const choice = { type: "function", function: { name: "answer" } };
  const transcript = [question, asks("k1"), result("k1")];

  await server.ask(path, { messages: transcript, tools: [tool], tool_choice: choice });
  await server.ask(path, { messages: transcript, tools: [tool], tool_choice: "required" });

  expect(server.requests.map(({ body }) => body.tool_choice)).toEqual([choice, "required", undefined]);
});

test("a chain of responses goes on when the call of an old output does not fit the window any more", async () => {
  await using gateway = await startGateway();
  const call = (id: string) => assistantMessage("", [{ id, name: "answer", arguments: "{}" }]);
  const chain = [
    { id: "resp_1", messages: [userMessage("q"), call("k0")] },
    { id: "resp_2", messages: [toolMessage("k0", "z".repeat(16 * 1024 * 1024)), call("k1")] },
  ];
  await gateway.store.write(async (tx) => {
    for (const [at, each] of chain.entries()) {
      const previousId = chain[at - 1]?.id;
      const row = { ...each, owner: "operator", response: "{}", now: at };
      await responses.insert(tx, { ...row, ...(previousId !== undefined && { previousId }) });
    }
  });
  const goOn = (call_id: string) =>
    gateway.post("/v1/responses", {
      previous_response_id: "resp_2",
      input: [{ type: "function_call_output", call_id, output: "ok" }],
    });

  expect((await goOn("k1")).status).toBe(200);
  expect((await goOn("k2")).status).toBe(400);
});

test("a tool's result that belongs to no call of the transcript is refused", async () => {
  await using server = await served([]);

  const [status, sentence] = await told(server.ask(path, { messages: [question, result("nope")] }));

  expect([status, sentence]).toEqual([400, expect.stringContaining("nope")]);
  expect(server.requests).toHaveLength(0);
});

test("a kept session refuses a tool's result that nothing waits for, and asks no model", async () => {
  await using server = await served(callsOnce);
  const transcript = [question, asks("k1"), result("k1")];
  const answer = (session: string, headers = {}) =>
    told(server.ask(path, { messages: transcript, tools: [tool] }, inSession(session, headers)));

  expect((await answer("new"))[0]).toBe(400);
  const output = { input: [{ type: "function_call_output", call_id: "k1", output: "r" }] };
  expect((await server.ask("/v1/responses", output, inSession("new"))).status).toBe(400);
  expect(server.requests).toHaveLength(0);

  await server.ask(path, { messages: [question], tools: [tool] }, inSession("A"));
  expect(await answer("A", { "idempotency-key": "one" })).toEqual([200, "answer 1"]);
  // Repeated by its key it is answered, without one it is nothing new.
  expect(await answer("A", { "idempotency-key": "one" })).toEqual([200, "answer 1"]);
  expect(await answer("A")).toEqual([400, expect.stringContaining("k1")]);
  // Words are answered, whatever comes before them.
  const more = { messages: [...transcript, question], tools: [tool] };
  expect(await told(server.ask(path, more, inSession("A")))).toEqual([200, "answer 2"]);
  expect(server.requests).toHaveLength(3);
});

test("a kept session that was restored to before the call refuses its result", async () => {
  await using server = await served(callsOnce);
  await server.ask(path, { messages: [question], tools: [tool] }, inSession("A"));
  await server.ask("/api/sessions/A/branches/root/restore", {});

  const late = server.ask(path, { messages: [result("k1")], tools: [tool] }, inSession("A"));

  expect((await told(late))[0]).toBe(400);
  expect(server.requests).toHaveLength(1);
});

test("a tool's result that waited behind another turn is refused when that has left its call behind", async () => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using server = await served([
    { calls: [{ id: "k1", name: "answer", arguments: {} }] },
    { text: "never mind", gate: () => (begun.resolve(), goOn) },
  ]);
  await server.ask(path, { messages: [question], tools: [tool] }, inSession("A"));
  const other = told(server.ask(path, { messages: [question], tools: [tool] }, inSession("A")));
  await begun.promise;
  using socket = await openSocket(server.url, { token: operatorToken });
  socket.send({ type: "resume", sessionId: "A", after: "0" });
  const late = told(server.ask(path, { messages: [result("k1")], tools: [tool] }, inSession("A")));
  let frame: Frame;
  do frame = await socket.next();
  while (frame.code !== "queued");
  resolve();

  expect(await other).toEqual([200, "never mind"]);
  expect(await late).toEqual([400, expect.stringContaining("k1")]);
  expect(server.requests).toHaveLength(2);
});
