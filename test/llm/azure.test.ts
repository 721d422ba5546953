import { expect, test } from "bun:test";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider } from "../../src/llm/providers.ts";
import { aRequest, collect, kinds } from "./asking.ts";

const done = 'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

/** An Azure resource that writes down what it was asked. */
function resource() {
  const asked: { url: URL; headers: Headers }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      asked.push({ url: new URL(request.url), headers: request.headers });
      return new Response(done, { headers: { "content-type": "text/event-stream" } });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function askAzure(path: string, key: string) {
  await using azure = resource();
  const settings = { provider: "azure", endpoint: azure.url + path, key, model: "my gpt" } as const;
  const provider = inferProvider({ ...settings, azureApiVersion: "2030-01-01", timeoutMs: 5000 });
  const events = await collect(openAi(provider, createModels(provider))(aRequest()));
  expect(kinds(events)).toEqual(["hi", "answer"]);
  const [first] = azure.asked;
  if (!first) throw new Error("It was not asked.");
  return first;
}

test.each(["", "/openai", "/openai/"])(
  "openAi asks a deployment of Azure at %p by its path and version",
  async (path) => {
    const { url, headers } = await askAzure(path, "abc123");
    expect(url.pathname + url.search).toBe(
      "/openai/deployments/my%20gpt/chat/completions?api-version=2030-01-01",
    );
    expect(headers.get("api-key")).toBe("abc123");
    expect(headers.get("authorization")).toBeNull();
  },
);

test("openAi shows Azure a token of Entra as a bearer", async () => {
  const { headers } = await askAzure("", "eyJhbGciOi.eyJzdWIi.c2ln");
  expect(headers.get("authorization")).toBe("Bearer eyJhbGciOi.eyJzdWIi.c2ln");
  expect(headers.get("api-key")).toBeNull();
});

test("openAi asks Azure's newer API by its plain path", async () => {
  const { url, headers } = await askAzure("/openai/v1", "abc123");
  expect(url.pathname + url.search).toBe("/openai/v1/chat/completions");
  expect(headers.get("api-key")).toBe("abc123");
});

test("createModels offers the named deployment of Azure without asking", async () => {
  const settings = { provider: "azure", endpoint: "http://127.0.0.1:1", key: "k", model: "gpt" } as const;
  const models = createModels(inferProvider({ ...settings, timeoutMs: 1000 }));
  const { signal } = new AbortController();
  expect(await models.list(signal)).toEqual([{ id: "gpt", provider: "azure" }]);
});
