import { expect, test } from "bun:test";
import { providerWords } from "../../src/config/provider-list.ts";
import { providerKinds } from "../../src/llm/provider-table.ts";
import {
  inferProvider,
  inferProviders,
  type LlmSettings,
  type NamedProvider,
} from "../../src/llm/providers.ts";

const infer = (settings: Partial<LlmSettings>) => inferProvider({ timeoutMs: 1000, ...settings });

const cases: readonly [Partial<LlmSettings>, object][] = [
  [{}, { name: "demo", model: "demo" }],
  [
    { provider: "demo", key: "k", endpoint: "http://x/v1", model: "m" },
    { name: "demo", endpoint: "http://demo.invalid/v1", model: "demo" },
  ],
  [{ key: "k" }, { name: "openai", endpoint: "https://api.openai.com/v1", key: "k", model: "gpt-4o" }],
  [
    { key: "k", model: "gpt-5" },
    { name: "openai", model: "gpt-5" },
  ],
  [
    { key: "k", endpoint: "https://api.openai.com" },
    { name: "openai", endpoint: "https://api.openai.com/v1" },
  ],
  [
    { provider: "ollama" },
    { name: "ollama", endpoint: "http://127.0.0.1:11434/v1", key: undefined, model: undefined },
  ],
  [{ endpoint: "http://gpu:11434" }, { name: "ollama", endpoint: "http://gpu:11434/v1" }],
  [
    { endpoint: "http://127.0.0.1:1234/v1" },
    { name: "lmstudio", endpoint: "http://127.0.0.1:1234/v1", model: undefined },
  ],
  [
    { endpoint: "https://openrouter.ai/api/v1/", key: "k" },
    { name: "openrouter", endpoint: "https://openrouter.ai/api/v1", key: "k" },
  ],
  [
    { endpoint: "http://gateway", key: "k" },
    { name: "openai-compatible", endpoint: "http://gateway" },
  ],
  [
    { endpoint: "https://api.groq.com", key: "k" },
    { name: "groq", endpoint: "https://api.groq.com/openai/v1" },
  ],
  [{ endpoint: "http://gpu:8000/v1" }, { name: "openai-compatible" }],
  [{ endpoint: "https://groq.com.evil.example/v1", key: "k" }, { name: "openai-compatible" }],
  [
    { provider: "deepseek", key: "k" },
    { endpoint: "https://api.deepseek.com/v1", model: "deepseek-chat" },
  ],
  [{ provider: "mistral", key: "k" }, { endpoint: "https://api.mistral.ai/v1" }],
  [{ provider: "gemini", key: "k" }, { endpoint: "https://generativelanguage.googleapis.com/v1beta/openai" }],
  [{ provider: "anthropic", key: "k" }, { endpoint: "https://api.anthropic.com/v1" }],
  [{ provider: "vllm" }, { endpoint: "http://127.0.0.1:8000/v1" }],
  [
    { endpoint: "https://mine.openai.azure.com/openai/", key: "k", model: "gpt" },
    { name: "azure", endpoint: "https://mine.openai.azure.com", apiVersion: "2024-10-21" },
  ],
  [
    { endpoint: "https://mine.openai.azure.com/openai/v1", key: "k", model: "gpt" },
    { name: "azure", endpoint: "https://mine.openai.azure.com/openai/v1" },
  ],
  [
    { provider: "openai", endpoint: "http://proxy/openai/v1", key: "k" },
    { name: "openai", endpoint: "http://proxy/openai/v1" },
  ],
];

test.each(cases)("inferProvider makes of %j %j", (settings, expected) => {
  expect(infer(settings)).toMatchObject(expected);
});

const refused: readonly [Partial<LlmSettings>, string][] = [
  [{ provider: "openai" }, "MODEL_PROVIDER_KEY"],
  [{ model: "gpt-4o" }, "MODEL_PROVIDER_KEY"],
  [{ endpoint: "https://api.openai.com/v1" }, "MODEL_PROVIDER_KEY"],
  [{ provider: "openai-compatible" }, "MODEL_PROVIDER_ENDPOINT"],
  [{ provider: "azure", key: "k", model: "m" }, "MODEL_PROVIDER_ENDPOINT"],
  [{ endpoint: "https://mine.openai.azure.com", key: "k" }, "MODEL_PROVIDER_MODEL"],
  [{ provider: "groq" }, "MODEL_PROVIDER_KEY"],
  [{ key: "two words" }, "MODEL_PROVIDER_KEY"],
  [{ key: "line\nbreak" }, "MODEL_PROVIDER_KEY"],
];

test.each(refused)("inferProvider refuses %j and names %s", (settings, name) => {
  expect(() => infer(settings)).toThrow(
    expect.objectContaining({ code: "bad_request", param: name, message: expect.stringContaining(name) }),
  );
});

test("inferProvider does not repeat a key that it refuses", () => {
  expect(() => infer({ key: "sk-secret with space" })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("sk-secret") }),
  );
});

const infers = (providers: readonly NamedProvider[], settings: Partial<LlmSettings> = {}) =>
  inferProviders({ timeoutMs: 1000, ...settings, providers });

test("inferProviders puts the provider of MODEL_PROVIDER_* first, else the first that is named", () => {
  const groq = { name: "groq", key: "k" };
  const lab = { name: "lab", endpoint: "http://gpu:8000/v1", models: ["qwen", "phi"] };
  const names = (settings?: Partial<LlmSettings>) => infers([groq, lab], settings).map(({ name }) => name);
  expect(names()).toEqual(["groq", "lab"]);
  expect(names({ key: "k" })).toEqual(["openai", "groq", "lab"]);
  expect(infers([]).map(({ name }) => name)).toEqual(["demo"]);
  expect(infers([groq, lab])).toMatchObject([
    { kind: "groq", endpoint: "https://api.groq.com/openai/v1" },
    { kind: "openai-compatible", model: "qwen", models: ["qwen", "phi"] },
  ]);
});

test("inferProviders names what is missing by its place, and refuses two of one name", () => {
  expect(() => infers([{ name: "lab" }])).toThrow("`endpoint` of `lab` in OPENCLAW_PROVIDERS is not set");
  expect(() => infers([{ name: "mistral" }])).toThrow("`key` of `mistral` in OPENCLAW_PROVIDERS is not set");
  const twice = { name: "openai", key: "k" };
  expect(() => infers([twice], { key: "k" })).toThrow("Two providers are called `openai`");
});

test("providerWords are the kinds of providers that there are", () => {
  expect([...providerWords].sort()).toEqual([...providerKinds].sort());
});

test("inferProvider gives Azure's newer addresses no version", () => {
  const endpoint = "https://mine.openai.azure.com/openai/v1";
  expect(infer({ endpoint, key: "k", model: "gpt" }).apiVersion).toBeUndefined();
});
