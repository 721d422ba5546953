import { expect, test } from "bun:test";
import { join } from "node:path";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { temporaryFolder } from "./helpers/executable.ts";
import { type InProcess, operatorToken, startInProcess } from "./helpers/in-process.ts";
import { type Step, scriptedModel } from "./helpers/model-server.ts";

interface Spending {
  calls: number;
  estimatedCalls: number;
  inputTokens: number;
  outputTokens: number;
  models: Spending[];
  items: (Spending & { key: string })[];
}

const read = async (server: InProcess, query: string): Promise<Spending> =>
  (await server.ask(`/api/usage${query}`)).json();

const messages = [{ role: "user", content: "hello" }];
/** What is on offer makes a request one of some 700 tokens. */
const spends = (input: number, output: number): Step => ({ text: "ok", usage: { input, output } });

test("a session's budget is exceeded by no more than one call, and says 402 on every door", async () => {
  await using model = scriptedModel(() => spends(900, 400));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_SESSION_TOKEN_BUDGET: "3700",
  });
  const headers = { "x-openclaw-session-id": "s" };
  const ask = (path: string, body: object) => server.ask(path, body, { headers });

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ask("/v1/chat/completions", { messages })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 402, 402, 402, 402, 402]);
  expect((await ask("/v1/chat/completions", { messages, stream: true })).status).toBe(402);
  const refused = await ask("/v1/responses", { input: "x" });
  expect([refused.status, (await refused.json()).error]).toEqual([
    402,
    {
      message:
        "Session s has spent 3900 of its 3700 tokens (OPENCLAW_SESSION_TOKEN_BUDGET). It does not reset: begin a new session, or raise the budget.",
      type: "invalid_request_error",
      code: "budget_exceeded",
      param: null,
    },
  ]);
  using client = await connectEnvelopes(server.url, operatorToken);
  client.send({ type: "user_message", text: "hello", sessionId: "s" });
  expect(await client.next("error")).toMatchObject({ code: "budget_exceeded" });

  expect((await server.ask("/v1/chat/completions", { messages })).status).toBe(200);
  expect((await read(server, "?session=s")).calls).toBe(3);
});

test("a day's budget holds for many turns at once, and those under way count", async () => {
  const gate = Promise.withResolvers<void>();
  await using model = scriptedModel(() => ({ ...spends(1000, 10), gate: () => gate.promise }));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DAILY_TOKEN_BUDGET: "1600",
  });

  const asked = Array.from({ length: 10 }, () => server.ask("/v1/chat/completions", { messages }));
  const refused = await Promise.race(
    asked.map(async (answer) => ((await answer).status === 402 ? answer : never)),
  );
  expect((await refused).headers.get("retry-after")).toMatch(/^\d+$/);
  gate.resolve();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);

  const admitted = statuses.filter((status) => status === 200).length;
  expect(admitted).toBeWithin(1, 5);
  expect(statuses.filter((status) => status === 402)).toHaveLength(10 - admitted);
  expect(model.requests).toHaveLength(admitted);
});

const never = new Promise<never>(() => {});

test("a turn's budget ends it between two of its steps, and what it did is kept", async () => {
  await using model = scriptedModel(() => ({
    calls: [{ name: "time", arguments: {} }],
    usage: { input: 1000, output: 1 },
  }));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_TURN_TOKEN_BUDGET: "3500",
  });

  const answer = await server.ask(
    "/v1/chat/completions",
    { messages },
    { headers: { "x-openclaw-session-id": "s" } },
  );

  expect([answer.status, model.requests.length]).toEqual([402, 3]);
  const history = await (await server.ask("/api/sessions/s/messages")).json();
  expect(history.items.map(({ message }: { message: { role: string } }) => message.role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "tool",
    "assistant",
    "tool",
  ]);
});

test("a turn's budget is exceeded by no more than one call, however busy the books are", async () => {
  await using model = scriptedModel(() => ({
    calls: [{ name: "time", arguments: {} }],
    usage: { input: 9000, output: 1 },
  }));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_TURN_TOKEN_BUDGET: "5000",
  });
  // Without a session nothing of a turn is stored between its steps: only its bill is.
  const turns = Array.from({ length: 30 }, () => server.ask("/v1/chat/completions", { messages }));
  expect(new Set((await Promise.all(turns)).map(({ status }) => status))).toEqual(new Set([402]));
  expect(model.requests).toHaveLength(30);
});

test("a token's budget is its own, and a budget of dollars is everybody's", async () => {
  await using model = scriptedModel(() => spends(1000, 0));
  const alice = "alice-token-for-tests-01";
  const env = {
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_CLIENT_TOKENS: `alice=${alice}`,
  };
  const statusOf = async (server: InProcess, token = operatorToken) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await server.ask("/v1/chat/completions", { messages }, { headers })).status;
  };
  {
    await using server = await startInProcess({ ...env, OPENCLAW_NAME_TOKEN_BUDGETS: "alice=1000" });
    expect([await statusOf(server, alice), await statusOf(server, alice)]).toEqual([200, 402]);
    expect(await statusOf(server)).toBe(200);
  }
  await using server = await startInProcess({
    ...env,
    OPENCLAW_DAILY_COST_BUDGET: "0.0025",
    OPENCLAW_PRICES: '{"scripted":{"input":1,"output":0}}',
  });
  expect([await statusOf(server), await statusOf(server, alice), await statusOf(server)]).toEqual([
    200, 200, 402,
  ]);
  expect(await read(server, "")).toMatchObject({ calls: 2, costUsd: 0.002, unpricedCalls: 0 });
});

test("a message that would cost more than is left of a budget is not sent, and a small one is", async () => {
  await using model = scriptedModel(() => spends(800, 10));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DAILY_COST_BUDGET: "0.10",
    OPENCLAW_PRICES: '{"scripted":{"input":10,"output":10}}',
  });
  const send = async (content: string) => {
    const answer = await server.ask("/v1/chat/completions", { messages: [{ role: "user", content }] });
    return [answer.status, (await answer.json()).error?.message];
  };

  const [status, message] = await send("word ".repeat(100_000));
  expect([status, model.requests.length]).toEqual([402, 0]);
  expect(message).toMatch(
    /^Today this server has spent \$0\.0000 of its \$0\.1000 \(OPENCLAW_DAILY_COST_BUDGET\), and this call would take about \$0\.\d{4} more\. It resets at /,
  );
  expect((await send("hi"))[0]).toBe(200);
});

test("an operator's price of a deployment counts, whatever model answers there", async () => {
  const answer = {
    model: "gpt-4o-2024-08-06",
    choices: [{ delta: { content: "hi" }, finish_reason: "stop" }],
  };
  const usage = { prompt_tokens: 100_000, completion_tokens: 10_000, total_tokens: 110_000 };
  await using model = scriptedModel(() => ({
    rawBytes: [answer, { choices: [], usage }].map((each) => `data: ${JSON.stringify(each)}\n\n`),
  }));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "my-deploy",
    OPENCLAW_DAILY_COST_BUDGET: "1.00",
    OPENCLAW_PRICES: '{"my-deploy":{"input":25,"output":100}}',
  });
  const ask = async () => (await server.ask("/v1/chat/completions", { messages })).status;
  expect([await ask(), await ask()]).toEqual([200, 402]);
  expect(await read(server, "")).toMatchObject({ calls: 1, costUsd: 3.5 });
});

test("a restart forgets neither what was spent today nor a response that can be continued", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel(() => spends(1000, 100));
  const env = {
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_DAILY_TOKEN_BUDGET: "2500",
  };
  let id: string;
  {
    await using server = await startInProcess(env);
    id = (await (await server.ask("/v1/responses", { input: "one" })).json()).id;
  }
  await using server = await startInProcess(env);
  const input = { input: "two", previous_response_id: id };

  expect((await (await server.ask(`/v1/responses/${id}`)).json()).output[0].content[0].text).toBe("ok");
  expect((await server.ask("/v1/responses", input)).status).toBe(200);
  expect(
    model.requests
      .at(-1)
      ?.body.messages.slice(1)
      .map(({ content }) => content),
  ).toEqual(["one", "ok", "two"]);
  expect((await server.ask("/v1/responses", input)).status).toBe(402);
});
