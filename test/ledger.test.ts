import { expect, test } from "bun:test";
import { join } from "node:path";
import * as fc from "fast-check";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { temporaryFolder } from "./helpers/executable.ts";
import { type InProcess, operatorToken, startInProcess } from "./helpers/in-process.ts";
import { runs } from "./helpers/long.ts";
import { type ChatBody, type Step, scriptedModel } from "./helpers/model-server.ts";

/** What the provider does with a turn, by the word that its user says. */
const words = ["plain", "tool", "cut", "hang", "refuse"] as const;
type Word = (typeof words)[number];

const doors = [
  "chat",
  "chat stream",
  "chat session",
  "response",
  "response stream",
  "ws",
  "operation",
] as const;
type Door = (typeof doors)[number];

const random = (seed: number) => (most: number) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed % most;
};

/** A provider that counts what it told its clients. */
function countingProvider(seed: number) {
  const next = random(seed);
  const told = { calls: 0, input: 0, output: 0, cut: 0 };
  const usage = () => {
    const used = { input: 1 + next(500), output: 1 + next(50) };
    told.calls++;
    told.input += used.input;
    told.output += used.output;
    return used;
  };
  const cut = (): Step => {
    told.cut++;
    return { text: ["half ", "of ", "it"], closeAfter: 2 };
  };
  const script = (body: ChatBody): Step => {
    const last = body.messages.at(-1);
    const word = String(body.messages.findLast(({ role }) => role === "user")?.content ?? "");
    if (last?.role !== "tool" && word.includes("tool"))
      return { calls: [{ name: "time", arguments: {} }], usage: usage() };
    if (word.includes("cut")) return cut();
    if (word.includes("hang")) {
      told.cut++;
      return { text: ["half "], hang: "body" };
    }
    if (word.includes("refuse")) return { status: 400 };
    return { text: ["all ", "of ", "it"], usage: usage() };
  };
  return { told, script };
}

async function say(server: InProcess, door: Door, word: Word, session: string): Promise<void> {
  const text = `please ${word}`;
  const messages = [{ role: "user", content: text }];
  const controller = new AbortController();
  const { signal } = controller;
  const headers = { "x-openclaw-session-id": session };
  /** Reads to the end; a client that hears of something that hangs goes away. */
  const read = async (response: Response) => {
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? [])
      if (word === "hang" && decoder.decode(piece).includes("half ")) return controller.abort();
  };
  const ask = (path: string, body: object, more = {}) =>
    server
      .ask(path, body, { signal, ...more })
      .then(read)
      .catch(() => {});

  switch (door) {
    case "chat stream":
      return ask("/v1/chat/completions", { messages, stream: true });
    case "response stream":
      return ask("/v1/responses", { input: text, stream: true });
    case "chat":
      return ask("/v1/chat/completions", { messages, stream: word === "hang" });
    case "response":
      return ask("/v1/responses", { input: text, stream: word === "hang" });
    case "chat session":
      if (word !== "hang") return ask("/v1/chat/completions", { messages }, { headers });
      break;
    case "operation": {
      const sent = await (await server.ask(`/api/sessions/${session}/messages`, { text })).json();
      if (word !== "hang") return ask(`/api/turns/${sent.turn}/events`, {}, { method: "GET", body: null });
      break;
    }
    case "ws":
      break;
  }
  using client = await connectEnvelopes(server.url, operatorToken);
  if (door !== "operation") client.send({ type: "user_message", text, sessionId: session });
  else client.send({ type: "resume", sessionId: session, after: "0" });
  if (word === "hang") {
    await client.next("assistant_chunk");
    client.send({ type: "cancel", sessionId: session });
  }
  await client.next("typing_stop");
}

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

const sums = (rows: readonly Spending[]) => {
  const sum = (count: (row: Spending) => number) => rows.reduce((all, row) => all + count(row), 0);
  return [sum((row) => row.calls), sum((row) => row.inputTokens), sum((row) => row.outputTokens)];
};

test("the ledger's sum is what the provider told, whatever door, tool, cut or refusal there was", async () => {
  const turnsOf = (some: readonly Word[]) =>
    fc.array(fc.record({ door: fc.constantFrom(...doors), word: fc.constantFrom(...some) }), {
      minLength: 20,
      maxLength: 30,
    });
  // Without cuts the sums are the same to the token.
  const turns = fc.oneof(turnsOf(words), turnsOf(["plain", "tool", "refuse"]));
  await fc.assert(
    fc.asyncProperty(turns, fc.integer({ min: 1, max: 1e6 }), async (list, seed) => {
      const { told, script } = countingProvider(seed);
      await using model = scriptedModel(script);
      await using server = await startInProcess({
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_MODEL: "scripted",
        OPENCLAW_PRICES: '{"scripted":{"input":1,"output":2}}',
        // A provider that fails so often would be left alone.
        OPENCLAW_BREAKER_THRESHOLD: "0",
      });
      await Promise.all(list.map(({ door, word }, at) => say(server, door, word, `s${at}`)));

      // A turn whose client went away ends behind it.
      let all = await read(server, "");
      for (let tries = 0; all.calls < told.calls + told.cut && tries < 200; tries++) {
        await Bun.sleep(10);
        all = await read(server, "");
      }
      expect([all.calls, all.estimatedCalls]).toEqual([told.calls + told.cut, told.cut]);
      for (const key of ["day", "model", "session", "channel", "principal"])
        expect(sums((await read(server, `?by=${key}`)).items)).toEqual(sums([all]));
      if (told.cut === 0) expect([all.inputTokens, all.outputTokens]).toEqual([told.input, told.output]);
      else {
        expect(all.inputTokens).toBeGreaterThan(told.input);
        expect(all.outputTokens).toBeGreaterThan(told.output);
      }
    }),
    { numRuns: runs(8, 80), endOnFailure: true },
  );
}, 60_000);

const messages = [{ role: "user", content: "hello" }];
const spends = (input: number, output: number): Step => ({ text: "ok", usage: { input, output } });

test("a session's budget is exceeded by no more than one call, and says 402 on every door", async () => {
  await using model = scriptedModel(() => spends(90, 10));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_SESSION_TOKEN_BUDGET: "250",
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
        "Session s has spent 300 of its 250 tokens (OPENCLAW_SESSION_TOKEN_BUDGET). It does not reset: begin a new session, or raise the budget.",
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
    // One request is estimated at some hundred tokens.
    OPENCLAW_DAILY_TOKEN_BUDGET: "600",
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
    usage: { input: 100, output: 1 },
  }));
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_TURN_TOKEN_BUDGET: "250",
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

test("a token's budget is its own, and a budget of dollars is everybody's", async () => {
  await using model = scriptedModel(() => spends(100, 0));
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
    await using server = await startInProcess({ ...env, OPENCLAW_NAME_TOKEN_BUDGETS: "alice=100" });
    expect([await statusOf(server, alice), await statusOf(server, alice)]).toEqual([200, 402]);
    expect(await statusOf(server)).toBe(200);
  }
  await using server = await startInProcess({
    ...env,
    OPENCLAW_DAILY_COST_BUDGET: "0.0002",
    OPENCLAW_PRICES: '{"scripted":{"input":1,"output":0}}',
  });
  expect([await statusOf(server), await statusOf(server, alice), await statusOf(server)]).toEqual([
    200, 200, 402,
  ]);
  expect(await read(server, "")).toMatchObject({ calls: 2, costUsd: 0.0002, unpricedCalls: 0 });
});

test("a restart forgets neither what was spent today nor a response that can be continued", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel(() => spends(100, 10));
  const env = {
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_DAILY_TOKEN_BUDGET: "220",
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
