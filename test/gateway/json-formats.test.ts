import { expect, test } from "bun:test";
import OpenAI from "openai";
import type { TurnEvent } from "../../src/agent/turn.ts";
import { operatorToken, startGateway, type TestGateway } from "./helpers/gateway-server.ts";
import { done, plays, said, step, text, toolCall } from "./helpers/runs.ts";

const path = "/v1/chat/completions";
const json = '{"answer":1}';
const log = (token: string) => [{ token, logprob: -1, bytes: null, top_logprobs: [] }];
const looks = { ...text("Let me look."), logprobs: log("Let") } as TurnEvent;
const answers = [
  { ...text('{"answer"'), logprobs: log('{"answer"') } as TurnEvent,
  text(":1}"),
  said(json),
  done(),
];
const inTwoSteps = plays(step(1), looks, ...toolCall(), step(2), ...answers);

const schema = { type: "object", properties: { answer: { type: "number" } } };
const chatFormat = { type: "json_schema", json_schema: { name: "a", strict: true, schema } } as const;
const format = { type: "json_schema", name: "a", strict: true, schema } as const;
const messages = [{ role: "user" as const, content: "q" }];

const client = (gateway: TestGateway, session?: string) =>
  new OpenAI({
    apiKey: operatorToken,
    baseURL: `${gateway.url}/v1`,
    maxRetries: 0,
    defaultHeaders: session === undefined ? {} : { "x-openclaw-session-id": session },
  });

test("under a JSON format an answer is its last step alone, so that the openai package can parse it", async () => {
  await using gateway = await startGateway({ run: inTwoSteps });

  for (const session of [undefined, "kept"]) {
    const { chat, responses } = client(gateway, session);
    const whole = await chat.completions.parse({ model: "small", messages, response_format: chatFormat });
    const streamed = await chat.completions
      .stream({ model: "small", messages, response_format: chatFormat })
      .finalChatCompletion();
    const response = await responses.parse({ model: "small", input: "q", text: { format } });
    const stream = responses.stream({ model: "small", input: "q", text: { format } });

    for (const completion of [whole, streamed]) expect(completion.choices[0]?.message.content).toBe(json);
    for (const told of [response, await stream.finalResponse()]) {
      expect(told.output_text).toBe(json);
      expect(told.output).toHaveLength(1);
    }
  }
});

test("under a JSON format the logprobs are those of the text that is told", async () => {
  await using gateway = await startGateway({ run: inTwoSteps });
  const request = { messages, response_format: { type: "json_object" }, logprobs: true };

  const { choices } = await (await gateway.post(path, request)).json();

  expect(choices[0].logprobs.content).toEqual(log('{"answer"'));
});

test("under a JSON format what stands beside calls of the client's tools is left out", async () => {
  const clientCalls = [{ id: "c", name: "weather", arguments: "{}" }];
  await using gateway = await startGateway({
    run: plays(step(1), text("Let me ask."), done({ finishReason: "tool_calls", clientCalls })),
  });
  const { chat } = client(gateway);

  const { choices } = await chat.completions.parse({ model: "small", messages, response_format: chatFormat });

  expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null, parsed: null } });
});

test("an answer under a JSON format that was cut is told as far as it came", async () => {
  await using gateway = await startGateway({
    run: plays(step(1), text('{"ans'), done({ finishReason: "length" })),
  });

  const { choices } = await (
    await gateway.post(path, { messages, response_format: { type: "json_object" } })
  ).json();

  expect(choices[0]).toMatchObject({ finish_reason: "length", message: { content: '{"ans' } });
});

test("a text that may be the answer is told before its step has ended", async () => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  await using gateway = await startGateway({
    async *run() {
      yield step(1);
      yield text(" ");
      yield text('{"early"');
      await goOn;
      yield text(":1}");
      yield said(' {"early":1}');
      yield done();
    },
  });
  const untilHeard = async (more: object) => {
    const response = await gateway.post(path, { messages, stream: true, ...more });
    const reader = response.body?.getReader();
    let heard = "";
    while (!heard.includes("early")) heard += new TextDecoder().decode((await reader?.read())?.value);
    return reader;
  };

  const plain = await untilHeard({ response_format: { type: "text" } });
  const noTools = await untilHeard({ response_format: { type: "json_object" }, tool_choice: "none" });
  const json = await untilHeard({ response_format: { type: "json_object" } });

  resolve();
  for (const reader of [plain, noTools, json]) while (!(await reader?.read())?.done);
});
