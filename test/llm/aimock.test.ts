import { afterAll, beforeAll, expect, test } from "bun:test";
import type { LLMock } from "@copilotkit/aimock";
import type OpenAI from "openai";
import type { InProcess } from "../helpers/in-process.ts";
import { until } from "../helpers/until.ts";
import {
  answer,
  clientOf,
  hello,
  model,
  shapes,
  startAimock,
  startOver,
  sunny,
  ways,
  weather,
} from "./aimock-stack.ts";

/** A model server that nobody here wrote, and the client that everybody uses. */
let mock: LLMock;
let server: InProcess;
let client: OpenAI;

beforeAll(async () => {
  mock = await startAimock();
  server = await startOver(shapes["OpenAI's"]?.(mock.url) ?? {});
  client = clientOf(server);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await mock.stop();
});

test("aimock answers through us, whole and streamed, with usage that the ledger has", async () => {
  const inBooks = async () => {
    const { inputTokens, outputTokens } = await (await server.ask("/api/usage")).json();
    return inputTokens + outputTokens;
  };
  const before = await inBooks();
  const whole = await client.chat.completions.create(hello);
  expect(whole.choices[0]?.message.content).toBe(answer);
  const chunks = await Array.fromAsync(
    await client.chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } }),
  );
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(answer);
  expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
  const used = (whole.usage?.total_tokens ?? 0) + (chunks.at(-1)?.usage?.total_tokens ?? 0);
  // No answer waits for the books.
  await until("the books have both", async () => (await inBooks()) - before >= used);
  expect((await inBooks()) - before).toBe(used);
});

test("runTools of the openai package calls its function and tells the answer", async () => {
  const asked: string[] = [];
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: "user", content: "How is it in Graz?" }],
    tools: [
      {
        type: "function",
        function: {
          ...weather,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => {
            asked.push(city);
            return "sunny";
          },
        },
      },
    ],
  });

  expect(await runner.finalContent()).toBe(sunny);
  expect(asked).toEqual(["Graz"]);
});

test("a response continues another with nothing but the output of its call, streamed", async () => {
  const tools = [{ type: "function" as const, ...weather, strict: null }];
  const first = await client.responses.create({ model, input: "How is it in Graz?", tools });
  const [call] = first.output;
  expect(call).toMatchObject({ type: "function_call", call_id: "call_w", arguments: '{"city":"Graz"}' });

  const stream = client.responses.stream({
    model,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: "call_w", output: "sunny" }],
    tools,
  });

  expect((await stream.finalResponse()).output_text).toBe(sunny);
});

test("reasoning is an item of its own, and never in the answer", async () => {
  const response = await client.responses.create({ model, input: "think" });
  expect(response.output_text).toBe("Forty-two.");
  expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
});

for (const [shape, env] of Object.entries(shapes))
  test(`aimock answers through us in ${shape} shape in every way that the openai package can ask, and with a call`, async () => {
    await using other = await startOver(env(mock.url));
    const client = clientOf(other);
    for (const [way, ask] of Object.entries(ways))
      expect([way, await ask(client)]).toEqual([way, way === "runTools" ? sunny : answer]);

    const called = await client.chat.completions.create({
      model,
      messages: [{ role: "user", content: "How is it in Graz?" }],
      tools: [{ type: "function", function: weather }],
    });
    expect(called.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: "call_w", function: { name: "weather" } }] },
    });
  });
