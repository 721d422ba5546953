import { expect, test } from "bun:test";
import { findLocalModels } from "../../src/llm/local-models.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const { signal } = new AbortController();
const place = (name: string, endpoint: string) => ({ name, endpoint, setting: `MODEL_PROVIDER=${name}` });

test("findLocalModels finds what answers with models and nothing else", async () => {
  await using ollama = scriptedModel([], { models: ["llama", "qwen"] });
  await using empty = scriptedModel([], { models: [] });
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });
  const closed = scriptedModel([]);
  await closed.close();
  const places = [
    place("ollama", ollama.url),
    place("empty", empty.url),
    place("other", `http://127.0.0.1:${other.port}/v1`),
    place("closed", closed.url),
  ];
  const found = await findLocalModels(signal, places, 10_000);
  await other.stop(true);
  expect(found).toEqual([{ name: "ollama", setting: "MODEL_PROVIDER=ollama", models: ["llama", "qwen"] }]);
});

test("findLocalModels does not wait for a server that says nothing", async () => {
  const mute = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Promise<Response>(() => undefined),
  });
  expect(await findLocalModels(signal, [place("mute", `http://127.0.0.1:${mute.port}/v1`)])).toEqual([]);
  await mute.stop(true);
});

test("findLocalModels finds nothing when its caller is gone", async () => {
  await using ollama = scriptedModel([]);
  expect(await findLocalModels(AbortSignal.abort(), [place("ollama", ollama.url)])).toEqual([]);
});
