import { expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";

const load = (OPENCLAW_PROVIDERS: string) =>
  loadSettings({ HOME: "/home/somebody", OPENCLAW_PROVIDERS }, "/");

test("providerList reads providers with what they may have", () => {
  const lab = { name: "lab", provider: "vllm", endpoint: "http://gpu:8000/v1/", key: "k", models: ["a"] };
  const { settings } = load(JSON.stringify([lab, { name: "groq", key: "g" }]));
  expect(settings?.llm.providers).toEqual([
    { name: "lab", provider: "vllm", endpoint: "http://gpu:8000/v1", key: "k", models: ["a"] },
    { name: "groq", key: "g" },
  ]);
  expect(load("").settings?.llm.providers).toEqual([]);
});

test.each([
  ["no JSON", "sk-secret-1", ""],
  ["no list", '{"name":"sk-secret-2"}', ""],
  ["a name with a slash", '[{"name":"a/sk-secret-3"}]', "0.name"],
  ["an address that is none", '[{"name":"a"},{"name":"b","endpoint":"sk-secret-4"}]', "1.endpoint"],
  ["a field that there is not", '[{"name":"a","secret":"sk-secret-5"}]', "0.secret"],
])("providerList refuses %s by its place and never shows it", (_, text, place) => {
  const [problem] = load(text).problems;
  expect(problem).toMatchObject({ env: "OPENCLAW_PROVIDERS" });
  expect(problem?.text).toContain('Expected a JSON list of {"name"');
  if (place !== "") expect(problem?.text).toContain(`look at ${place}`);
  expect(problem?.text).not.toContain("sk-secret");
});
