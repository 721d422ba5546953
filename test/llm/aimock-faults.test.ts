import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { runs } from "../helpers/long.ts";
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
} from "./aimock-stack.ts";

let mock: LLMock;

beforeAll(async () => {
  mock = await startAimock();
  // Slow enough that its first words are on their way before it breaks the connection.
  mock.onMessage("cut", { content: "word ".repeat(40) }, { truncateAfterChunks: 20, latency: 10 });
});

beforeEach(() => void mock.clearChaos());

afterAll(() => mock.stop());

const failureOf = (asked: PromiseLike<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => error,
  );

const chaos = { dropRate: 0.2, malformedRate: 0.2, rateLimitRate: 0.1, disconnectRate: 0.2 };

for (const [shape, env] of Object.entries(shapes))
  test(`with chaos on in ${shape} shape every request ends, with the whole answer or an error that says so`, async () => {
    await using server = await startOver(env(mock.url));
    const client = clientOf(server);
    mock.setChaos(chaos);
    const asked = Array.from({ length: runs(4, 60) }, () => Object.entries(ways)).flat();
    const ends = await Promise.allSettled(
      asked.map(async ([way, ask]) => ({ way, told: await ask(client) })),
    );

    let answered = 0;
    for (const end of ends) {
      if (end.status === "rejected") {
        expect(end.reason).toBeInstanceOf(OpenAI.OpenAIError);
        continue;
      }
      const { way, told } = end.value;
      expect([way, told]).toEqual([way, way === "runTools" ? sunny : answer]);
      answered++;
    }
    expect(answered).toBeGreaterThan(0);
    mock.clearChaos();
    for (const [way, ask] of Object.entries(ways))
      expect([way, await ask(client)]).toEqual([way, way === "runTools" ? sunny : answer]);
  }, 30_000);

test("each kind of chaos is one error of the openai package, before a stream as well as whole", async () => {
  const waiting = (seconds: number) =>
    startOver({
      ...shapes["OpenAI's"]?.(mock.url),
      OPENCLAW_LLM_RETRIES: "0",
      OPENCLAW_LLM_TIMEOUT_SECONDS: `${seconds}`,
    });
  await using patient = await waiting(20);
  await using impatient = await waiting(1);
  for (const [fault, server, errorClass, status] of [
    [{ dropRate: 1 }, patient, OpenAI.InternalServerError, 502],
    [{ malformedRate: 1 }, patient, OpenAI.InternalServerError, 502],
    [{ rateLimitRate: 1 }, patient, OpenAI.RateLimitError, 429],
    [{ disconnectRate: 1 }, patient, OpenAI.InternalServerError, 502],
    [{ latencyMs: 10_000 }, impatient, OpenAI.InternalServerError, 504],
  ] as const) {
    const client = clientOf(server);
    mock.setChaos(fault);
    const failures = await Promise.all([
      failureOf(client.chat.completions.create(hello)),
      failureOf(client.chat.completions.create({ ...hello, stream: true })),
      failureOf(client.responses.create({ model, input: "hello" })),
      failureOf(client.responses.create({ model, input: "hello", stream: true })),
    ]);
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(errorClass);
      expect([fault, failure]).toMatchObject([
        fault,
        { status, message: expect.stringContaining("provider") },
      ]);
    }
  }
}, 30_000);

test("a stream that aimock cuts in the middle is an error in the stream, and never looks whole", async () => {
  await using server = await startOver(shapes["OpenAI's"]?.(mock.url) ?? {});
  const client = clientOf(server);
  const messages = [{ role: "user" as const, content: "cut" }];
  const said: string[] = [];
  const read = async () => {
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
      said.push(chunk.choices[0]?.delta.content ?? "");
  };

  expect(await failureOf(read())).toBeInstanceOf(OpenAI.APIError);
  expect(said.join("")).toStartWith("word");
  expect(await failureOf(client.chat.completions.create({ model, messages }))).toBeInstanceOf(
    OpenAI.InternalServerError,
  );
  const events = await Array.fromAsync(await client.responses.create({ model, input: "cut", stream: true }));
  expect(events.at(-1)).toMatchObject({ type: "response.failed", response: { status: "failed" } });
});

test("what aimock refuses, and what the client itself gives up, has the openai package's own class", async () => {
  await using server = await startOver({ ...shapes["OpenAI's"]?.(mock.url), OPENCLAW_LLM_RETRIES: "0" });
  const client = clientOf(server);
  for (const [status, errorClass] of [
    [404, OpenAI.NotFoundError],
    [429, OpenAI.RateLimitError],
    // The key that is wrong is ours, not the client's.
    [401, OpenAI.InternalServerError],
    [500, OpenAI.InternalServerError],
  ] as const) {
    mock.nextRequestError(status, { message: "The model does not want to.", code: "no" });
    const failure = await failureOf(client.chat.completions.create(hello));
    expect([status, failure]).toEqual([status, expect.any(errorClass)]);
  }
  expect(await failureOf(clientOf(server, "wrong").models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(await failureOf(client.chat.completions.create({ ...hello, n: 2 }))).toBeInstanceOf(
    OpenAI.BadRequestError,
  );

  mock.setChaos({ latencyMs: 10_000 });
  const late = client.chat.completions.create(hello, { timeout: 50 });
  expect(await failureOf(late)).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
  const leaving = new AbortController();
  const left = client.chat.completions.create(hello, { signal: leaving.signal });
  leaving.abort();
  expect(await failureOf(left)).toBeInstanceOf(OpenAI.APIUserAbortError);
  mock.clearChaos();
  expect(await ways.chat?.(client)).toBe(answer);
}, 30_000);
