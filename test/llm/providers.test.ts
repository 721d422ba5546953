import { expect, test } from "bun:test";
import { inferProvider, type LlmSettings } from "../../src/llm/providers.ts";

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
    { name: "openai-compatible", endpoint: "http://127.0.0.1:1234/v1", model: undefined },
  ],
  [
    { endpoint: "https://openrouter.ai/api/v1/", key: "k" },
    { name: "openai-compatible", endpoint: "https://openrouter.ai/api/v1", key: "k" },
  ],
  [
    { endpoint: "http://gateway", key: "k" },
    { name: "openai-compatible", endpoint: "http://gateway" },
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
