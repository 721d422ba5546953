import { afterAll, beforeAll, expect, test } from "bun:test";
import { createModels } from "../../src/llm/models.ts";
import { inferProvider, type LlmSettings } from "../../src/llm/providers.ts";
import { setUpLog } from "../../src/telemetry/log.ts";

const { signal } = new AbortController();
const logged: string[] = [];
beforeAll(() => setUpLog({ level: "info", pretty: false, sink: (line) => void logged.push(line) }));
afterAll(() => setUpLog({ level: "info", pretty: false, sink: (line) => void process.stderr.write(line) }));

/** A server that answers each path with this JSON, and counts. */
function answering(routes: Record<string, unknown>) {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const body = routes[pathname];
      return body === undefined ? new Response("no", { status: 404 }) : Response.json(body);
    },
  });
  return { url: `http://127.0.0.1:${server.port}/v1`, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}
const models = (settings: Partial<LlmSettings>, now?: () => number) =>
  createModels(inferProvider({ timeoutMs: 5000, key: "k", ...settings }), now);

const ps = (context_length?: number) => ({
  models: [{ name: "qwen:latest", model: "qwen:latest", context_length }],
});
const show = (parameters: string) => ({ parameters, model_info: { "qwen2.context_length": 131_072 } });

test.each<[string, Record<string, unknown>, number | undefined]>([
  ["what is loaded", { "/api/ps": ps(16_384), "/api/show": show("num_ctx 2048") }, 16_384],
  [
    "what the model asks for",
    { "/api/ps": { models: [] }, "/api/show": show("stop x\nnum_ctx   32768") },
    32_768,
  ],
  ["its own default", { "/api/ps": { models: [] }, "/api/show": show("") }, 4096],
  [
    "its own default where it tells no window of what is loaded",
    { "/api/ps": ps(), "/api/show": show("") },
    4096,
  ],
  ["nothing", {}, undefined],
])("localWindows reads from Ollama %s", async (_, routes, window) => {
  await using ollama = answering(routes);
  expect(
    await models({ provider: "ollama", endpoint: ollama.url, model: "qwen" }).window(undefined, signal),
  ).toBe(window);
});

test("localWindows warns once of a small window, with the fix", async () => {
  logged.length = 0;
  await using ollama = answering({ "/api/ps": ps(4096) });
  let time = 0;
  const list = models({ provider: "ollama", endpoint: ollama.url, model: "qwen" }, () => time);
  await list.window("qwen", signal);
  await list.window("qwen", signal);
  expect(ollama.asked).toHaveLength(1);
  time = 60_000;
  await list.window("qwen", signal);
  expect(ollama.asked).toHaveLength(2);
  expect(logged.filter((line) => line.includes("window of 4096 tokens"))).toHaveLength(1);
  expect(logged.join()).toContain("OLLAMA_CONTEXT_LENGTH=32768");
});

test("localWindows looks soon again at a model that is not loaded yet", async () => {
  const routes: Record<string, unknown> = { "/api/ps": { models: [] }, "/api/show": show("num_ctx 9000") };
  await using ollama = answering(routes);
  let time = 0;
  const list = models({ provider: "ollama", endpoint: ollama.url, model: "qwen" }, () => time);
  expect(await list.window("qwen", signal)).toBe(9000);
  routes["/api/ps"] = ps(20_000);
  time = 5000;
  expect(await list.window("qwen", signal)).toBe(20_000);
});

test("localWindows reads from LM Studio what is loaded, else the most that the model takes", async () => {
  await using studio = answering({
    "/api/v0/models": {
      data: [
        { id: "a", max_context_length: 131_072, loaded_context_length: 10_000 },
        { id: "b", max_context_length: 50_000 },
      ],
    },
  });
  const list = models({ provider: "lmstudio", endpoint: studio.url });
  expect(await list.window("a", signal)).toBe(10_000);
  expect(await list.window("b", signal)).toBe(50_000);
});

test.each(["context_length", "context_window", "max_model_len", "max_context_length"])(
  "readWindow takes %s from a list of models",
  async (name) => {
    await using server = answering({ "/v1/models": { data: [{ id: "m", [name]: 12_345 }, { id: "n" }] } });
    const list = models({ endpoint: server.url });
    expect(await list.window("m", signal)).toBe(12_345);
    expect(await list.window("n", signal)).toBeUndefined();
  },
);

test("knownWindow knows the models of providers that do not tell", async () => {
  const list = models({ provider: "openai", endpoint: "http://127.0.0.1:1/v1" });
  expect(await list.window("gpt-4o-mini", signal)).toBe(128_000);
  expect(await list.window("gpt-4", signal)).toBe(8192);
  expect(await list.window("o3-mini", signal)).toBe(200_000);
});

test("createModels waits only for the first list to tell a window, and goes by the last one after", async () => {
  let time = 0;
  let isHanging = false;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      isHanging
        ? new Promise<Response>(() => undefined)
        : Response.json({ data: [{ id: "m", context_length: 7 }] }),
  });
  const list = models({ endpoint: `http://127.0.0.1:${server.port}/v1` }, () => time);
  expect(await list.window("m", signal)).toBe(7);
  isHanging = true;
  time = 60_000;
  expect(await list.window("m", signal)).toBe(7);
  await server.stop(true);
});
