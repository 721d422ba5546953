import { expect, test } from "bun:test";
import type { LlmEvent } from "../../src/llm/llm.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider } from "../../src/llm/providers.ts";
import { type Step, scriptedModel } from "../helpers/model-server.ts";
import { aRequest, ask, collect, key, kinds, llmAt } from "./asking.ts";

test("openAi yields each token, then the answer with the provider's usage", async () => {
  const events = await ask([{ reasoning: "hm", text: ["Hel", "lo"], usage: { input: 12, output: 5 } }]);
  expect(kinds(events)).toEqual(["hm", "Hel", "lo", "answer"]);
  expect(events.at(-1)).toMatchObject({
    message: { text: "Hello", calls: [] },
    finishReason: "stop",
    usage: { inputTokens: 12, outputTokens: 5, estimated: false },
    model: "scripted",
  });
});

test("openAi passes a token on before the next one exists", async () => {
  const more = Promise.withResolvers<void>();
  await using server = scriptedModel([
    { text: ["first", "second"], gate: (index) => index === 1 && more.promise },
  ]);
  const events = llmAt(server.url)(aRequest())[Symbol.asyncIterator]();
  expect((await events.next()).value).toEqual({ type: "text", text: "first" });
  more.resolve();
  expect((await events.next()).value).toEqual({ type: "text", text: "second" });
});

test("openAi sends messages, tools and parameters as the bytes that they are", async () => {
  await using server = scriptedModel([{}]);
  const message = {
    role: "user",
    json: '{ "role":"user",\n "content":"\\u0041 1.0" }',
    callIds: [],
  } as const;
  const tool = { name: "time", json: '{"type":"function", "function":{"name":"time"}}' };
  await collect(
    llmAt(server.url)(
      aRequest({
        model: 'm"1',
        messages: [message, message],
        tools: [tool, tool],
        parameters: {
          temperature: 0.5,
          tool_choice: "auto",
          stop: undefined,
          model: "evil",
          stream: false,
          messages: [],
        },
      }),
    ),
  );
  expect(server.requests[0]?.raw).toBe(
    `{"model":"m\\"1","messages":[${message.json},${message.json}],"tools":[${tool.json},${tool.json}],"temperature":0.5,"tool_choice":"auto","stream":true,"stream_options":{"include_usage":true}}`,
  );
  expect(server.requests[0]?.headers.get("authorization")).toBe(`Bearer ${key}`);
  expect(server.requests[0]?.headers.get("content-type")).toBe("application/json");
});

test("openAi leaves out what is about tools when there are none", async () => {
  await using server = scriptedModel([{}]);
  await collect(
    llmAt(server.url)(aRequest({ parameters: { tool_choice: "none", parallel_tool_calls: true, seed: 1 } })),
  );
  expect(server.requests[0]?.body).not.toHaveProperty("tool_choice");
  expect(server.requests[0]?.body).not.toHaveProperty("parallel_tool_calls");
  expect(server.requests[0]?.body).toHaveProperty("seed", 1);
});

test("openAi sends no authorization without a key, whatever OPENAI_* variables say", async () => {
  process.env.OPENAI_API_KEY = "sk-from-the-environment";
  process.env.OPENAI_ORG_ID = "org-from-the-environment";
  try {
    await using server = scriptedModel([{}]);
    const provider = inferProvider({ endpoint: server.url, timeoutMs: 5000 });
    await collect(openAi(provider, createModels(provider))(aRequest()));
    const headers = server.requests[0]?.headers;
    expect(headers?.get("authorization")).toBeNull();
    expect(headers?.get("openai-organization")).toBeNull();
  } finally {
    delete process.env.OPENAI_API_KEY;
    delete process.env.OPENAI_ORG_ID;
  }
});

test("openAi puts a call together and says tool_calls, also when the provider says stop", async () => {
  const call = { id: "call_1", name: "read_file", arguments: { path: "a" } };
  const events = await ask([{ calls: [call], finishReason: "stop" }]);
  expect(events.at(-1)).toMatchObject({
    finishReason: "tool_calls",
    message: { calls: [{ id: "call_1", name: "read_file", arguments: '{"path":"a"}' }] },
  });
});

test("openAi takes a plain completion for an answer", async () => {
  const completion = {
    choices: [{ message: { content: "whole" }, finish_reason: "length" }],
    model: "plain",
  };
  const events = await ask([
    { body: JSON.stringify(completion), headers: { "content-type": "application/json" } },
  ]);
  expect(kinds(events)).toEqual(["whole", "answer"]);
  expect(events.at(-1)).toMatchObject({ finishReason: "length", model: "plain" });
});

test("openAi estimates the usage when the provider tells none", async () => {
  const events = await ask([{ text: "x".repeat(400), usage: null }]);
  expect(events.at(-1)).toMatchObject({ usage: { outputTokens: 100, estimated: true } });
});

test("openAi reads gzip", async () => {
  const body = Bun.gzipSync(
    'data: {"choices":[{"delta":{"content":"zipped"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  );
  const events = await ask([{ rawBytes: [body], headers: { "content-encoding": "gzip" } }]);
  expect(kinds(events)).toEqual(["zipped", "answer"]);
});

test("openAi uses a connection again", async () => {
  await using server = scriptedModel(() => ({ text: "ok" }));
  const llm = llmAt(server.url);
  for (let round = 0; round < 5; round++) await collect(llm(aRequest({ model: "m" })));
  expect(new Set(server.requests.map((request) => request.port)).size).toBe(1);
});

test("openAi takes the answer when the provider goes silent after [DONE]", async () => {
  const bytes = 'data: {"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  await using server = scriptedModel([{ rawBytes: [bytes], hang: "body" }]);
  const events = llmAt(server.url)(aRequest())[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ text: "done" });
  expect((await events.next()).value).toMatchObject({ type: "answer" });
  await events.return?.();
  await server.aborted;
});

test("openAi takes the answer when the connection breaks after the finish reason", async () => {
  const bytes = 'data: {"choices":[{"delta":{"content":"all"},"finish_reason":"stop"}]}\n\n';
  const read = Promise.withResolvers<void>();
  const gate = (index: number) => index === 1 && read.promise;
  await using server = scriptedModel([{ rawBytes: [bytes, ": bye\n\n"], gate, closeHow: "reset" }]);
  const events: LlmEvent[] = [];
  for await (const event of llmAt(server.url)(aRequest({ model: "m" }))) {
    events.push(event);
    read.resolve();
  }
  expect(events.at(-1)).toMatchObject({ message: { text: "all" }, usage: { estimated: true } });
});

test.each<[string, Step]>([
  ["before the headers", { hang: "headers" }],
  ["in the middle", { text: ["a"], hang: "body" }],
])("openAi lets go of the provider when it is cancelled %s", async (_, step) => {
  const cancel = new AbortController();
  const seen = Promise.withResolvers<void>();
  await using server = scriptedModel(() => {
    seen.resolve();
    return step;
  });
  const asked = collect(llmAt(server.url)(aRequest({ model: "m", signal: cancel.signal })));
  void seen.promise.then(() => cancel.abort());
  await expect(asked).rejects.toMatchObject({ code: "cancelled" });
  await server.aborted;
});

test("openAi sends nothing for a request that is cancelled already", async () => {
  await using server = scriptedModel([]);
  const asked = collect(llmAt(server.url)(aRequest({ signal: AbortSignal.abort() })));
  await expect(asked).rejects.toMatchObject({ code: "cancelled" });
  expect(server.requests).toHaveLength(0);
});

test("openAi lets go of the provider when its reader stops listening", async () => {
  await using server = scriptedModel([{ text: ["a", "b"], hang: "body" }]);
  for await (const event of llmAt(server.url)(aRequest())) {
    expect(event).toMatchObject({ text: "a" });
    break;
  }
  await server.aborted;
});

test("openAi keeps no hold on a turn's signal after its calls", async () => {
  const listening = new Set<unknown>();
  const { signal } = new AbortController();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listening.add(args[1]), add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    listening.delete(args[1]),
    remove(...args)
  );
  await using server = scriptedModel((_, index) => (index % 2 ? { text: "ok" } : { status: 500 }));
  const llm = llmAt(server.url);
  for (let round = 0; round < 4; round++)
    await collect(llm(aRequest({ signal, model: "m" }))).catch(() => undefined);
  expect(listening.size).toBe(0);
});

test("openAi keeps the connection of a call whose reader left with the answer", async () => {
  const parts = ['data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n', ": bye\n\n"];
  await using server = scriptedModel(() => ({
    rawBytes: parts,
    gate: (index) => (index === 1 ? Bun.sleep(3) : undefined),
  }));
  const llm = llmAt(server.url);
  for (let left = 3; left > 0; left--) {
    for await (const event of llm(aRequest({ model: "m" }))) if (event.type === "answer") break;
    while (server.pending() > 0) await Bun.sleep(1);
    await Bun.sleep(1);
  }
  expect(new Set(server.requests.map(({ port }) => port)).size).toBe(1);
});
