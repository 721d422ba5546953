import { expect, test } from "bun:test";
import { runExecutable, startExecutable } from "../helpers/executable.ts";
import { type ChatBody, type Step, scriptedModel } from "../helpers/model-server.ts";

const doctor = async (environment: Record<string, string>) => {
  const { code, stdout } = await runExecutable(["--doctor", "--json"], environment);
  const { checks }: { checks: { id: string; state: string; text: string; fix?: string }[] } =
    JSON.parse(stdout);
  return { code, provider: checks.find(({ id }) => id === "provider") };
};

test("openclaw --doctor passes where every provider answers and takes tools", async () => {
  await using one = scriptedModel(() => ({ text: "ok" }), { models: ["m"] });
  await using two = scriptedModel(() => ({ text: "ok" }), { models: ["n"] });
  const OPENCLAW_PROVIDERS = JSON.stringify([{ name: "lab", endpoint: two.url }]);
  const { code, provider } = await doctor({ MODEL_PROVIDER_ENDPOINT: one.url, OPENCLAW_PROVIDERS });
  expect({ code, state: provider?.state }).toEqual({ code: 0, state: "ok" });
  expect(provider?.text).toBe(
    "m of openai-compatible answers, and takes tools n of lab answers, and takes tools",
  );
});

test("openclaw --doctor ends with 3 and the fix where a provider does not", async () => {
  await using lab = scriptedModel(() => ({ status: 401 }), { models: ["m"] });
  const key = "sk-never-shown-1234";
  const OPENCLAW_PROVIDERS = JSON.stringify([{ name: "lab", endpoint: lab.url, key }]);
  const { code, provider } = await doctor({ OPENCLAW_PROVIDERS });
  expect({ code, state: provider?.state }).toEqual({ code: 3, state: "fail" });
  expect(provider?.fix).toContain("`key` of `lab` in OPENCLAW_PROVIDERS");
  expect(JSON.stringify(provider)).not.toContain(key);
});

const refuses = (status: number, message: string): Step => ({
  status,
  body: JSON.stringify({ error: { message } }),
});

/** Nothing listens there: it is the port of `discard`. */
const closedUrl = "http://127.0.0.1:9/v1";

/** What is wrong, how the server behaves, what was set, and what has to be said. */
const ailments: readonly {
  readonly what: string;
  readonly script?: (body: ChatBody) => Step;
  readonly set?: (url: string) => Record<string, string>;
  readonly code?: number;
  readonly state?: string;
  readonly text: string;
  readonly fix: string;
}[] = [
  {
    what: "a wrong key",
    script: () => refuses(401, "Incorrect API key provided"),
    text: "Incorrect API key provided",
    fix: "Set MODEL_PROVIDER_KEY to a key of openai-compatible",
  },
  {
    what: "a URL without /v1",
    set: (url) => ({ MODEL_PROVIDER_ENDPOINT: url.replace("/v1", "") }),
    text: "There is no API at",
    fix: "Set MODEL_PROVIDER_ENDPOINT to URL.",
  },
  {
    what: "a URL with /v1 twice",
    set: (url) => ({ MODEL_PROVIDER_ENDPOINT: `${url}/v1` }),
    text: "There is no API at",
    fix: "Set MODEL_PROVIDER_ENDPOINT to URL.",
  },
  {
    what: "an unknown model",
    script: () => refuses(404, "The model `m` does not exist"),
    text: "does not know this model (404)",
    fix: "Set MODEL_PROVIDER_MODEL to one of a, b.",
  },
  {
    what: "a model without tools",
    script: ({ tools }) => (tools.length > 0 ? refuses(400, "m does not support tools") : { text: "ok" }),
    code: 0,
    state: "warn",
    text: "answers, but takes no tools",
    fix: "Choose a model that takes tools with MODEL_PROVIDER_MODEL.",
  },
  {
    what: "a provider that cannot be reached",
    set: () => ({ MODEL_PROVIDER_ENDPOINT: closedUrl }),
    text: "nothing listens there",
    fix: "Start it, or correct MODEL_PROVIDER_ENDPOINT.",
  },
];

test.each(ailments)("openclaw --doctor tells $what, and the fix", async (ailment) => {
  const { script = () => ({ text: "ok" }), set, code = 3, state = "fail", text, fix } = ailment;
  await using server = scriptedModel(script, { models: ["a", "b"] });
  const found = await doctor({
    MODEL_PROVIDER_ENDPOINT: server.url,
    MODEL_PROVIDER_MODEL: "m",
    MODEL_PROVIDER_KEY: "sk-never-shown-1234",
    ...set?.(server.url),
  });
  expect({ code: found.code, ...found.provider }).toMatchObject({
    code,
    state,
    text: expect.stringContaining(text),
    fix: expect.stringContaining(fix.replace("URL", server.url)),
  });
  expect(JSON.stringify(found)).not.toContain("sk-never-shown-1234");
});

test("openclaw answers through the next model when the first fails, tells of it and lists the models of all", async () => {
  await using down = scriptedModel(() => ({ status: 500, headers: { "retry-after-ms": "1" } }), {
    models: ["a"],
  });
  await using well = scriptedModel(() => ({ text: "hi" }), { models: ["b"] });
  await using server = await startExecutable({
    OPENCLAW_PROVIDERS: JSON.stringify([
      { name: "down", endpoint: down.url },
      { name: "well", endpoint: well.url },
    ]),
    OPENCLAW_FALLBACK_MODELS: "well/b",
    OPENCLAW_LLM_RETRIES: "1",
    OPENCLAW_BREAKER_THRESHOLD: "1",
  });
  const ask = async () => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: "hello" }] }),
    });
    return (await answer.text()).includes('"content":"hi"');
  };
  expect(await ask()).toBe(true);
  expect(down.requests).toHaveLength(2);
  expect(await ask()).toBe(true);
  expect(down.requests).toHaveLength(2);
  const metrics = await (await fetch(`${server.url}/metrics`)).json();
  expect(metrics).toMatchObject({
    totalLlmRetries: 1,
    totalLlmFallbacks: 2,
    totalBreakerOpenings: 1,
    circuitBreakerState: 1,
  });
  const status = await (await fetch(`${server.url}/api/status`)).json();
  expect(status).toMatchObject({ provider: "down", breakers: [{ model: "down/default", state: "open" }] });
  const models = await (await fetch(`${server.url}/v1/models`)).text();
  expect(models).toContain('"id":"a"');
  expect(models).toContain('"id":"well/b"');
});
