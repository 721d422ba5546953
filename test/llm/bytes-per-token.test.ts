import { expect, test } from "bun:test";
import { createTokenEstimate } from "../../src/llm/bytes-per-token.ts";

test("createTokenEstimate begins at four bytes a token, and learns for each model by itself", () => {
  const estimate = createTokenEstimate();
  expect(estimate.tokens("m", 400)).toBe(100);
  estimate.learn("m", 1000, 500);
  expect(estimate.tokens("m", 400)).toBe(200);
  expect(estimate.tokens("other", 400)).toBe(100);
  for (let n = 0; n < 50; n++) estimate.learn("m", 3000, 1000);
  expect(estimate.tokens("m", 300)).toBeWithin(100, 102);
});

test("createTokenEstimate learns nothing from what is no text, nor from a provider that told nothing", () => {
  const estimate = createTokenEstimate();
  for (const [bytes, tokens] of [
    [1e6, 800],
    [0, 0],
    [100, 0],
    [10, 1000],
  ] as const)
    estimate.learn("m", bytes, tokens);
  expect(estimate.tokens("m", 400)).toBe(100);
});

test("createTokenEstimate forgets the model that was not asked for longest, so that names fill no memory", () => {
  const estimate = createTokenEstimate();
  for (let n = 0; n < 300; n++) {
    estimate.learn(`m${n}`, 200, 100);
    estimate.learn("kept", 200, 100);
  }
  expect(estimate.tokens("kept", 400)).toBe(200);
  expect(estimate.tokens("m299", 400)).toBe(200);
  expect(estimate.tokens("m0", 400)).toBe(100);
});
