import { expect, test } from "bun:test";
import { costOf, createPrices } from "../../src/llm/prices.ts";

test("createPrices knows a model with its maker before it and a date behind it", () => {
  const priceOf = createPrices();
  const listed = { input: 2.5, cached: 1.25, output: 10 };
  for (const model of ["gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o", "openai/gpt-4o-2024-08-06"])
    expect(priceOf(model)).toEqual(listed);
});

test("createPrices says nothing of a model that it does not know", () => {
  const priceOf = createPrices();
  for (const model of ["scripted", "gpt-4o-realtime", "gpt-4", "", "__proto__", "constructor"])
    expect(priceOf(model)).toBeUndefined();
});

test("createPrices takes the operator's price before the listed one", () => {
  const priceOf = createPrices({ "gpt-4o": { input: 1, output: 2 }, llama: { input: 0, output: 0 } });
  expect(priceOf("gpt-4o-2024-08-06")).toEqual({ input: 1, output: 2 });
  expect(priceOf("llama")).toEqual({ input: 0, output: 0 });
});

test("createPrices takes the operator's price of a deployment before the listed one of the model that answers", () => {
  const priceOf = createPrices({ "my-deploy": { input: 25, output: 100 } });
  expect(priceOf("gpt-4o-2024-08-06", "my-deploy")).toEqual({ input: 25, output: 100 });
  expect(priceOf("gpt-4o-2024-08-06", "other-deploy")).toMatchObject({ input: 2.5, output: 10 });
  expect(priceOf("scripted", "gpt-4o")).toMatchObject({ input: 2.5, output: 10 });
  expect(priceOf("scripted", "other-deploy")).toBeUndefined();
});

test("createPrices knows a dated model that has a price of its own", () => {
  expect(createPrices()("openai/gpt-4o-2024-05-13")).toEqual({ input: 5, output: 15 });
});

test("costOf is a whole number of millionths of a dollar, and tells cached input apart", () => {
  const price = { input: 2.5, cached: 1.25, output: 10 };
  expect(costOf(price, { inputTokens: 1_000_000, cachedTokens: 0, outputTokens: 0 })).toBe(2_500_000);
  expect(costOf(price, { inputTokens: 100, cachedTokens: 40, outputTokens: 7 })).toBe(150 + 50 + 70);
  expect(costOf({ input: 0.05, output: 0.4 }, { inputTokens: 7, cachedTokens: 7, outputTokens: 1 })).toBe(1);
  expect(costOf(price, { inputTokens: 10, cachedTokens: 99, outputTokens: 0 })).toBe(13);
});
