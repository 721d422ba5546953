import { expect, test } from "bun:test";
import { withLiveKeys } from "../../src/llm/live-keys.ts";
import { inferProviders } from "../../src/llm/providers.ts";

const providersOf = (key: string, lab: { key?: string; endpoint: string }) =>
  inferProviders({
    provider: "openai",
    key,
    timeoutMs: 1000,
    providers: [{ name: "lab", ...lab }],
  });

const endpoint = "http://127.0.0.1:9/v1";

test("withLiveKeys takes other keys of the same providers, and nothing when anything else differs", () => {
  const live = withLiveKeys(providersOf("sk-one", { key: "lab-one", endpoint }));
  const keys = () => live.providers.map(({ key }) => key);
  expect(live.take(providersOf("sk-two", { key: "lab-two", endpoint }))).toBe(true);
  expect(keys()).toEqual(["sk-two", "lab-two"]);
  expect(live.take(providersOf("sk-three", { key: "lab-two", endpoint: `${endpoint}/x` }))).toBe(false);
  expect(live.take(providersOf("sk-three", { endpoint }))).toBe(false);
  expect(keys()).toEqual(["sk-two", "lab-two"]);
});
