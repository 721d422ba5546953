import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import type { ErrorCode } from "../../src/errors.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider, type Provider } from "../../src/llm/providers.ts";
import { type Step, scriptedModel } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";
import { aRequest, askInVain, collect, key, llmAt } from "./asking.ts";

const refusals: readonly [Step, ErrorCode, RegExp][] = [
  [{ status: 400 }, "provider_error", /refused the request \(400\).*Scripted 400/],
  [{ status: 401 }, "provider_error", /refused the key \(401\).*MODEL_PROVIDER_KEY/],
  [{ status: 403 }, "provider_error", /refused the key \(403\).*MODEL_PROVIDER_KEY/],
  [
    { status: 404, body: "" },
    "provider_error",
    /knows no http:\/\/127.0.0.1:\d+\/v1 \(404\).*MODEL_PROVIDER_ENDPOINT/,
  ],
  [
    { status: 404, body: '{"error":{"message":"The model `x` does not exist"}}' },
    "model_not_found",
    /MODEL_PROVIDER_MODEL.*`x` does not exist/,
  ],
  [{ status: 413 }, "provider_error", /too large \(413\)/],
  [{ status: 429 }, "rate_limited", /limiting our requests \(429\)/],
  [{ status: 500 }, "provider_error", /failed \(500\).*Scripted 500/],
  [{ status: 503, body: "<html>busy</html>" }, "provider_error", /failed \(503\).*busy/],
  [
    { status: 307, headers: { location: "http://evil.example/v1" } },
    "provider_error",
    /redirects to http:\/\/evil.example\/v1 \(307\)/,
  ],
  [{ body: '{"error":{"message":"model is loading"}}' }, "provider_error", /model is loading/],
  [{ body: "<html>login</html>" }, "provider_error", /no answer/],
  [{ body: "" }, "provider_error", /no answer/],
  [{ text: ["a", "b"], closeAfter: 1 }, "provider_error", /in the middle/],
  [{ text: ["a", "b"], closeAfter: 1, closeHow: "reset" }, "provider_error", /it closed the connection/],
  [{ rawBytes: ["data: {nonsense\n\n"] }, "provider_error", /not JSON/],
  [{ rawBytes: ["not gzip"], headers: { "content-encoding": "gzip" } }, "provider_error", /127.0.0.1/],
];

test.each(refusals)("openAi tells what went wrong after %j", async (step, code, message) => {
  const { error } = await askInVain([step, step]);
  expect(error).toMatchObject({ name: "AppError", code });
  expect(error.message).toMatch(message);
  expect(error.message).toContain("he provider at 127.0.0.1:");
});

test("openAi does not follow a redirect, so the key does not travel", async () => {
  await using elsewhere = scriptedModel([{}]);
  const { error } = await askInVain([
    { status: 308, headers: { location: `${elsewhere.url}/chat/completions` } },
  ]);
  expect(error.code).toBe("provider_error");
  expect(elsewhere.requests).toHaveLength(0);
});

test("openAi does not repeat its key when the provider does", async () => {
  const { error } = await askInVain([
    { status: 401, body: JSON.stringify({ error: { message: `Wrong key ${key}.` } }) },
  ]);
  expect(error.message).toContain("Wrong key [key].");
  expect(Bun.inspect(error)).not.toContain(key);
});

test("openAi keeps a long, many-lined error short and on one line", async () => {
  const { error } = await askInVain([{ status: 500, body: `first\n\u001b[31m${"x".repeat(1_000_000)}` }]);
  expect(error.message.length).toBeLessThan(600);
  expect(error.message).not.toMatch(/\p{Cc}/u);
});

test.each([
  [{ "retry-after": "7" }, 7000],
  [{ "retry-after-ms": "1500", "retry-after": "9" }, 1500],
  [{ "retry-after": "soon" }, undefined],
])("openAi hands on how long to wait after %j", async (headers, retryAfterMs) => {
  const { error } = await askInVain([{ status: 429, headers, body: "{}" }]);
  expect(error.retryAfterMs).toBe(retryAfterMs);
});

test("openAi asks once, it does not retry", async () => {
  let asked = 0;
  await askInVain(() => {
    asked++;
    return { status: 500 };
  });
  expect(asked).toBe(1);
});

test("openAi names the host when nothing listens, the name is unknown, or there is no TLS", async () => {
  const closed = scriptedModel([]);
  await closed.close();
  expect((await askInVain(closed.url)).error.message).toMatch(
    /Cannot reach the provider at 127.0.0.1:\d+: nothing listens/,
  );
  // No label of a name is so long: that is known without asking a server of names, which may take its time.
  const nameless = `${"no-such-host".repeat(6)}.invalid`;
  expect((await askInVain(`http://${nameless}/v1`)).error.message).toMatch(/host.invalid: .*resolved/);
  await using plain = scriptedModel([]);
  const overTls = plain.url.replace("http:", "https:");
  expect((await askInVain(overTls)).error.message).toMatch(/Cannot reach .*TLS/);
});

/** What comes before the silence has all the time that it needs. */
test.each<[Step, object, RegExp]>([
  [{ hang: "headers" }, { timeoutMs: 500 }, /had not begun to answer/],
  [{ text: ["a"], hang: "body" }, { silenceMs: 100 }, /in the middle of the answer: it had sent nothing for/],
  [{ hang: "body" }, { silenceMs: 100 }, /in the middle of the answer: it had sent nothing for/],
])("openAi stops at its time-out after %j (%j) and says where", async (step, limits, message) => {
  await using server = scriptedModel([step]);
  const provider = inferProvider({ endpoint: server.url, key, timeoutMs: 10_000, ...limits });
  const asked = collect(openAi(provider, createModels(provider))(aRequest({ model: "m" })));
  const failed = asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(await failed).toMatchObject({ code: "provider_timeout", message: expect.stringMatching(message) });
  // One that never heard of the call cannot hear of its end.
  if (server.requests.length > 0) await server.aborted;
});

test("openAi stops at its time-out after the headers and a comment, and says where", async () => {
  const provider: Provider = {
    ...inferProvider({ endpoint: "http://127.0.0.1:1/v1", key, timeoutMs: 100 }),
    // It is there at once, however slow the machine is.
    fetch: async (_, { signal }) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(": hello\n\n"));
            signal?.addEventListener("abort", () => controller.error(signal.reason));
          },
        }),
      ),
  };
  await expect(
    collect(openAi(provider, createModels(provider))(aRequest({ model: "m" }))),
  ).rejects.toMatchObject({
    code: "provider_timeout",
    message: expect.stringMatching(/before the first token: it had sent nothing for/),
  });
});

test("openAi stops a slow drip at its time-out", async () => {
  await using server = scriptedModel([{ text: Array(1000).fill("drip "), gate: () => Bun.sleep(20) }]);
  const failed = collect(llmAt(server.url, 500)(aRequest({ model: "m" })));
  await expect(failed).rejects.toMatchObject({ code: "provider_timeout" });
  if (server.requests.length > 0) await server.aborted;
});

test("openAi survives a thousand faults without keeping memory or connections", async () => {
  const steps: readonly Step[] = [
    { text: "ok" },
    { status: 500 },
    { text: ["a", "b"], closeAfter: 1 },
    { text: ["a", "b"], closeAfter: 1, closeHow: "reset" },
    { rawBytes: ["garbage"] },
  ];
  await using server = scriptedModel((_, index) => steps[index % steps.length] ?? {}, { keep: 0 });
  const llm = llmAt(server.url);
  const round = async (times: number) => {
    for (let left = times; left > 0; left -= 20) {
      await Promise.all(
        Array.from({ length: 20 }, () => collect(llm(aRequest({ model: "m" }))).catch(() => undefined)),
      );
    }
    Bun.gc(true);
    return heapStats().objectCount;
  };
  const before = await round(200);
  // One object kept for each of them would be 800.
  expect((await round(800)) - before).toBeLessThan(400);
  await until("no request is being answered", () => server.pending() === 0);
});
