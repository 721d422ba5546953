import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { withFallback } from "../../src/llm/fallback.ts";
import { aRequest, collect, kinds } from "./asking.ts";
import { failed, lost, scripted, text, whole } from "./scripted.ts";

test.each([
  ["fails", failed(500)],
  ["refuses the key", failed(401)],
  ["is gone", lost()],
  ["is too slow", new AppError("provider_timeout", "slow")],
  ["is left alone", new AppError("unavailable", "open")],
  ["is not known", new AppError("model_not_found", "no")],
])("withFallback asks the next model when one %s", async (_, error) => {
  const { llm, requests } = scripted([[error], whole("hi")]);
  const events = await collect(withFallback(llm, ["a", "b/c"])(aRequest({ model: "a" })));
  expect(kinds(events)).toEqual(["status", "hi", "answer"]);
  expect(events[0]).toMatchObject({
    code: "fallback",
    text: expect.stringMatching(/, asking b\/c instead$/),
  });
  expect(requests.map(({ model }) => model)).toEqual(["a", "b/c"]);
});

test.each([
  ["the request is wrong", [failed(400)]],
  ["a token went out", [text("a"), lost()]],
  ["it is no fault of the provider", [new AppError("budget_exceeded", "no")]],
])("withFallback stays with the model when %s", async (_, events) => {
  const { llm, requests } = scripted([events, whole("hi")]);
  await expect(collect(withFallback(llm, ["b"])(aRequest()))).rejects.toBeInstanceOf(AppError);
  expect(requests).toHaveLength(1);
});

test("withFallback tells the last failure when all have failed", async () => {
  const last = failed(503);
  const { llm, requests } = scripted([[failed(500)], [failed(500)], [last]]);
  await expect(collect(withFallback(llm, ["b", "c"])(aRequest()))).rejects.toBe(last);
  expect(requests.map(({ model }) => model)).toEqual([undefined, "b", "c"]);
});
