import { expect, test } from "bun:test";
import { checkProvider } from "../../src/llm/check-provider.ts";
import { inferProvider, type LlmSettings } from "../../src/llm/providers.ts";
import { scriptedModel, type Step } from "../helpers/model-server.ts";

const { signal } = new AbortController();
const check = (settings: Partial<LlmSettings>) =>
  checkProvider(inferProvider({ timeoutMs: 5000, key: "k", ...settings }), signal);
const refuses = (status: number, message: string): Step => ({
  status,
  body: JSON.stringify({ error: { message } }),
});

test("checkProvider passes a model that answers and takes tools", async () => {
  await using server = scriptedModel([{ text: "ok" }], { models: ["a", "b"] });
  expect(await check({ endpoint: server.url, model: "b" })).toEqual({
    state: "ok",
    text: "b of openai-compatible answers, and takes tools",
  });
});

test.each([401, 403])("checkProvider tells a wrong key (%p)", async (status) => {
  await using server = scriptedModel(() => refuses(status, "bad key"));
  expect(await check({ endpoint: server.url, model: "m" })).toMatchObject({
    state: "fail",
    problem: "key",
    fix: expect.stringContaining("MODEL_PROVIDER_KEY"),
  });
});

test.each([
  ["a missing /v1", (url: string) => `${url.replace("/v1", "")}/other`],
  ["a doubled /v1", (url: string) => `${url}/v1`],
  ["a route for its base", (url: string) => `${url}/chat/completions`],
])("checkProvider tells %s, and the right address", async (_, wrong) => {
  await using server = scriptedModel(() => ({ text: "ok" }));
  expect(await check({ endpoint: wrong(server.url), model: "m" })).toMatchObject({
    state: "fail",
    problem: "url",
    fix: `Set MODEL_PROVIDER_ENDPOINT to ${server.url}.`,
  });
});

test("checkProvider shows no password of the address", async () => {
  await using server = scriptedModel(() => ({ text: "ok" }));
  const endpoint = server.url.replace("://", "://me:a-secret-word@").replace("/v1", "");
  const verdict = await check({ endpoint, model: "m" });
  expect(verdict).toMatchObject({ state: "fail", problem: "url" });
  expect(JSON.stringify(verdict)).not.toContain("a-secret-word");
});

test("checkProvider tells a web page from an API", async () => {
  await using page = scriptedModel([]);
  const { origin } = new URL(page.url);
  expect(await check({ endpoint: origin, model: "m" })).toMatchObject({
    problem: "url",
    fix: `Set MODEL_PROVIDER_ENDPOINT to ${page.url}.`,
  });
});

test("checkProvider tells an unknown model, and names those that there are", async () => {
  await using server = scriptedModel(() => refuses(404, "The model `x` does not exist"), {
    models: ["a", "b"],
  });
  expect(await check({ endpoint: server.url, model: "x" })).toMatchObject({
    state: "fail",
    problem: "model",
    fix: "Set MODEL_PROVIDER_MODEL to one of a, b.",
  });
});

test("checkProvider tells a model without tools", async () => {
  await using server = scriptedModel((body) =>
    body.tools.length > 0 ? refuses(400, "m does not support tools") : { text: "ok" },
  );
  expect(await check({ endpoint: server.url, model: "m" })).toMatchObject({
    state: "warn",
    problem: "tools",
  });
});

test("checkProvider tells a provider that cannot be reached", async () => {
  const closed = scriptedModel([]);
  await closed.close();
  expect(await check({ endpoint: closed.url, model: "m" })).toMatchObject({
    state: "fail",
    problem: "unreachable",
    text: expect.stringContaining("nothing listens there"),
    fix: expect.stringContaining("MODEL_PROVIDER_ENDPOINT"),
  });
});

test("checkProvider tells a fault of the provider as what it is, and does not guess", async () => {
  await using server = scriptedModel(() => ({ status: 500 }));
  const verdict = await check({ endpoint: server.url, model: "m" });
  expect(verdict).toMatchObject({ state: "fail", problem: "other" });
});
