import { expect, test } from "bun:test";
import { runExecutable, startExecutable } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";

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
