import { expect, test } from "bun:test";
import { createModels } from "../../src/llm/models.ts";
import { inferProvider } from "../../src/llm/providers.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const { signal } = new AbortController();
const at = (endpoint: string, model?: string) => inferProvider({ endpoint, model, timeoutMs: 5000 });

/** A server that answers `/models` with `answer` and counts how often it is asked. */
function listServer(answer: () => Response | Promise<Response>) {
  let asked = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      asked++;
      return answer();
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    asked: () => asked,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
const listOf = (...ids: unknown[]) => Response.json({ data: ids.map((id) => ({ id })) });

test("createModels lists the default model first and no model twice", async () => {
  await using server = scriptedModel([], { models: ["a", "b", "c"] });
  const ids = async (model?: string) =>
    (await createModels(at(server.url, model)).list(signal)).map(({ id }) => id);
  expect(await ids()).toEqual(["a", "b", "c"]);
  expect(await ids("b")).toEqual(["b", "a", "c"]);
  expect(await ids("unlisted")).toEqual(["unlisted", "a", "b", "c"]);
});

test("createModels takes the configured model for the default one, else the first that is listed", async () => {
  await using server = listServer(() => listOf("first", "second"));
  expect(await createModels(at(server.url, "mine")).defaultModel(signal)).toBe("mine");
  expect(server.asked()).toBe(0);
  const models = createModels(at(server.url));
  expect(await models.defaultModel(signal)).toBe("first");
  expect(await models.defaultModel(signal)).toBe("first");
  expect(server.asked()).toBe(1);
});

test("createModels asks once a minute, and once for all who ask at the same time", async () => {
  let time = 0;
  await using server = listServer(() => listOf("a"));
  const models = createModels(at(server.url), () => time);
  await Promise.all(Array.from({ length: 20 }, () => models.list(signal)));
  time = 59_999;
  await models.list(signal);
  expect(server.asked()).toBe(1);
  time = 60_000;
  await models.list(signal);
  expect(server.asked()).toBe(2);
});

test("createModels knows the configured model alone when the list cannot be had, and asks again soon", async () => {
  let time = 0;
  let up = false;
  await using server = listServer(() => (up ? listOf("a") : new Response("no", { status: 500 })));
  const models = createModels(at(server.url, "mine"), () => time);
  expect(await models.list(signal)).toEqual([{ id: "mine", provider: "openai-compatible" }]);
  await models.list(signal);
  expect(server.asked()).toBe(1);
  up = true;
  time = 5000;
  expect(await models.list(signal)).toHaveLength(2);
});

test.each<[string, () => Response, RegExp]>([
  ["an error", () => new Response("no", { status: 500 }), /failed \(500\)/],
  ["a web page", () => new Response("<html>"), /lists no models/],
  ["an empty list", () => listOf(), /set MODEL_PROVIDER_MODEL|lists no models/],
  ["ids that are none", () => listOf(7, "", null, "x".repeat(300)), /lists no models/],
])("createModels says so when there is no default model because of %s", async (_, answer, message) => {
  await using server = listServer(answer);
  const failed = createModels(at(server.url)).defaultModel(signal);
  await expect(failed).rejects.toMatchObject({
    code: "provider_error",
    message: expect.stringMatching(message),
  });
});

test("createModels refuses an unknown model and names those on offer", async () => {
  await using server = scriptedModel([], { models: Array.from({ length: 25 }, (_, at) => `m${at}`) });
  const models = createModels(at(server.url));
  await models.check("m24", signal);
  await expect(models.check("gpt-9", signal)).rejects.toMatchObject({
    code: "model_not_found",
    message: expect.stringMatching(/no model `gpt-9`. On offer: m0, m1, .*m19 and 5 more\./),
  });
});

test("createModels takes a list without wrapping, and no more than 1,000 models", async () => {
  await using server = listServer(() =>
    Response.json(Array.from({ length: 1500 }, (_, at) => ({ id: `m${at}` }))),
  );
  expect(await createModels(at(server.url)).list(signal)).toHaveLength(1000);
});

test("createModels lets a caller go who is cancelled while the list is on its way", async () => {
  const arrived = Promise.withResolvers<void>();
  await using server = listServer(() => {
    arrived.resolve();
    return new Promise<Response>(() => undefined);
  });
  const cancel = new AbortController();
  const listed = createModels(at(server.url)).list(cancel.signal);
  await arrived.promise;
  cancel.abort();
  await expect(listed).rejects.toMatchObject({ code: "cancelled" });
});
