import { expect, test } from "bun:test";
import { createLanes, type LanesSettings } from "../../src/llm/lanes.ts";
import type { Ledger, Use } from "../../src/llm/ledger.ts";
import { inferProviders, type NamedProvider } from "../../src/llm/providers.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { aRequest, collect, kinds } from "./asking.ts";

setUpLog({ level: "error", pretty: false });
const { signal } = new AbortController();

/** `firstTokenMs` is the first provider's. */
function lanesOf(
  providers: readonly NamedProvider[],
  more: Partial<LanesSettings & { firstTokenMs: number }> = {},
) {
  const uses: Use[] = [];
  const ledger: Ledger = { record: async (_, use) => void uses.push(use) };
  const { firstTokenMs = 10_000, ...settings } = more;
  const [first, ...rest] = inferProviders({ timeoutMs: 10_000, providers });
  const inferred = [{ ...first, limits: { ...first.limits, firstTokenMs } }, ...rest];
  const lanes = createLanes(inferred, ledger, {
    retries: 0,
    fallbackModels: [],
    breakerThreshold: 5,
    breakerCooldownMs: 30_000,
    maxConcurrent: 64,
    ...settings,
  });
  return { ...lanes, uses };
}

test("createLanes asks the provider that a model names, and the first for any other", async () => {
  await using one = scriptedModel(() => ({ text: "one" }), { models: ["a", "b"] });
  await using two = scriptedModel(() => ({ text: "two" }), { models: ["c/d"] });
  const { llm } = lanesOf([
    { name: "one", endpoint: one.url },
    { name: "two", endpoint: two.url },
  ]);
  const ask = async (model?: string) =>
    kinds(await collect(llm(aRequest(model === undefined ? {} : { model }))))[0];
  expect(await ask()).toBe("one");
  expect(await ask("x/y")).toBe("one");
  expect(await ask("one/b")).toBe("one");
  expect(await ask("two/c/d")).toBe("two");
  expect(await ask("two/")).toBe("two");
  expect(one.requests.map(({ body }) => body.model)).toEqual(["a", "x/y", "b"]);
  expect(two.requests.map(({ body }) => body.model)).toEqual(["c/d", "c/d"]);
});

test("createLanes lists the models of all, and is not held by one that is down", async () => {
  await using one = scriptedModel([], { models: ["a"] });
  const down = scriptedModel([]);
  await down.close();
  const { models } = lanesOf([
    { name: "one", endpoint: one.url },
    { name: "down", endpoint: down.url },
    { name: "fixed", endpoint: down.url, models: ["x", "y"] },
  ]);
  expect(await models.list(signal)).toEqual([
    { id: "a", provider: "one" },
    { id: "fixed/x", provider: "fixed" },
    { id: "fixed/y", provider: "fixed" },
  ]);
  await models.check("fixed/y", signal);
  await models.check("one/a", signal);
  await expect(models.check("fixed/z", signal)).rejects.toMatchObject({
    code: "model_not_found",
    message: expect.stringContaining("fixed/x, fixed/y"),
  });
});

test("createLanes tells why when no provider lists anything", async () => {
  const down = scriptedModel([]);
  await down.close();
  const { models } = lanesOf([{ name: "down", endpoint: down.url }]);
  await expect(models.list(signal)).rejects.toMatchObject({ code: "provider_error" });
});

test("createLanes answers those of the second while fifty hang at the first", async () => {
  await using hanging = scriptedModel(() => ({ hang: "headers" }), { models: ["m"] });
  await using well = scriptedModel(() => ({ text: "hi" }), { models: ["m"] });
  const { llm } = lanesOf([
    { name: "first", endpoint: hanging.url },
    { name: "second", endpoint: well.url },
  ]);
  const leaving = new AbortController();
  const fifty = Array.from({ length: 50 }, () =>
    collect(llm(aRequest({ model: "m", signal: leaving.signal }))),
  );
  const ends = Promise.allSettled(fifty);
  let ended = 0;
  for (const each of fifty) each.catch(() => {}).finally(() => ended++);
  expect(kinds(await collect(llm(aRequest({ model: "second/m" }))))).toEqual(["hi", "answer"]);
  expect(ended).toBe(0);
  leaving.abort();
  for (const end of await ends)
    expect(end).toMatchObject({ status: "rejected", reason: { code: "cancelled" } });
});

test("createLanes answers fifty at once through the second while the first hangs", async () => {
  await using hanging = scriptedModel(() => ({ hang: "headers" }), { models: ["m"] });
  await using well = scriptedModel(() => ({ text: "hi" }), { models: ["m"] });
  const providers = [
    { name: "first", endpoint: hanging.url },
    { name: "second", endpoint: well.url },
  ];
  const { llm } = lanesOf(providers, { fallbackModels: ["second/m"], firstTokenMs: 300 });
  const start = performance.now();
  const fifty = Array.from({ length: 50 }, () => collect(llm(aRequest({ model: "m" }))));
  for (const events of await Promise.all(fifty)) expect(kinds(events).slice(-2)).toEqual(["hi", "answer"]);
  // One after the other would be fifteen seconds.
  expect(performance.now() - start).toBeLessThan(10_000);
  // From here on the breaker is open, and nobody waits for the first any more.
  const asked = hanging.requests.length;
  expect(kinds(await collect(llm(aRequest({ model: "m" }))))).toEqual(["status", "hi", "answer"]);
  expect(hanging.requests).toHaveLength(asked);
});

test("createLanes books every try that cost something", async () => {
  await using server = scriptedModel([
    { status: 503 },
    { text: ["a", "b"], closeAfter: 1 },
    { text: "hi", usage: { input: 7, output: 3 } },
  ]);
  const { llm, uses } = lanesOf([{ name: "one", endpoint: server.url }], { retries: 2 });
  await expect(collect(llm(aRequest({ model: "m" })))).rejects.toMatchObject({ code: "provider_error" });
  expect(kinds(await collect(llm(aRequest({ model: "m" }))))).toEqual(["hi", "answer"]);
  expect(uses.map(({ usage }) => usage.estimated)).toEqual([true, false]);
  expect(uses[1]?.usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
});
