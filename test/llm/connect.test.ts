import { expect, test } from "bun:test";
import { canConnect } from "../../src/llm/connect.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider, type Provider } from "../../src/llm/providers.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { aRequest, collect, kinds } from "./asking.ts";

const ask = (endpoint: string, more: Partial<Provider>) => {
  const provider = { ...inferProvider({ endpoint, model: "m", timeoutMs: 5000, connectMs: 20 }), ...more };
  return collect(openAi(provider, createModels(provider))(aRequest()));
};

test("canConnect tells a server from a port where nobody listens", async () => {
  const server = scriptedModel([]);
  expect(await canConnect(server.url)).toBe(true);
  await server.close();
  expect(await canConnect(server.url)).toBe(false);
  // No label of a name is so long: that is known without asking a server of names.
  expect(await canConnect(`http://${"no-such-host".repeat(6)}.invalid/v1`)).toBe(false);
});

test("openAi gives up a provider that takes no connection, and says so", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = scriptedModel(() => {
    asked.resolve();
    return { hang: "headers" };
  });
  // One that has not heard of the call would not hear of its end either.
  const reachable = () => asked.promise.then(() => false);
  await expect(ask(server.url, { reachable })).rejects.toMatchObject({
    code: "provider_timeout",
    message: expect.stringMatching(/took no connection within 0.02 s \(OPENCLAW_LLM_CONNECT_SECONDS\)/),
  });
  await server.aborted;
});

test("openAi waits for one that is only slow to answer", async () => {
  const looked = Promise.withResolvers<void>();
  await using server = scriptedModel(async () => {
    await looked.promise;
    return { text: "hi" };
  });
  const reachable = async () => {
    looked.resolve();
    return canConnect(server.url);
  };
  expect(kinds(await ask(server.url, { reachable }))).toEqual(["hi", "answer"]);
});
