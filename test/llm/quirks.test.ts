import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { ToolOffer } from "../../src/llm/llm.ts";
import { createModels } from "../../src/llm/models.ts";
import { openAi } from "../../src/llm/openai.ts";
import { inferProvider } from "../../src/llm/providers.ts";
import { createQuirks } from "../../src/llm/quirks.ts";
import { type ChatBody, scriptedModel, type Step } from "../helpers/model-server.ts";
import { aRequest, collect, kinds, llmAt } from "./asking.ts";

const tool: ToolOffer = {
  name: "time",
  json: '{"type":"function","function":{"name":"time","parameters":{"type":"object"}}}',
};
const refuses = (message: string, more: object = {}, status = 400): Step => ({
  status,
  body: JSON.stringify({ error: { message, type: "invalid_request_error", ...more } }),
});

/** Answers a request without these fields, and refuses others as the model would. */
const without =
  (refusals: Record<string, Step>) =>
  (body: ChatBody): Step =>
    Object.entries(refusals).find(([name]) => has(body, name))?.[1] ?? { text: "hi" };

const has = (body: ChatBody, name: string) => (name === "tools" ? body.tools.length > 0 : name in body);

async function askTwice(
  refusals: Record<string, Step>,
  parameters: object,
  tools: readonly ToolOffer[] = [],
) {
  await using server = scriptedModel(without(refusals));
  const llm = llmAt(server.url);
  const request = aRequest({ model: "m", parameters: { ...parameters }, tools });
  const first = await collect(llm(request));
  const asked = server.requests.length;
  const second = await collect(llm(request));
  return { first, second, asked, bodies: server.requests.map(({ body }) => body) };
}

test.each<[string, Step, object]>([
  [
    "temperature",
    refuses("Unsupported value: 'temperature' does not support 0.7 with this model.", {
      param: "temperature",
      code: "unsupported_value",
    }),
    { temperature: 0.7, seed: 1 },
  ],
  ["seed", refuses("Unrecognized request argument supplied: seed"), { temperature: 1, seed: 1 }],
  [
    "stream_options",
    {
      status: 422,
      body: '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}',
    },
    {},
  ],
])(
  "createQuirks drops %s once it was refused, says so, and remembers it",
  async (name, refusal, parameters) => {
    const { first, second, asked, bodies } = await askTwice({ [name]: refusal }, parameters);
    expect(kinds(first)).toEqual(["status", "hi", "answer"]);
    expect(first[0]).toMatchObject({ code: "retry", text: `m does not take ${name}: asked again without` });
    expect(kinds(second)).toEqual(["hi", "answer"]);
    expect(asked).toBe(2);
    expect(bodies.map((body) => name in body)).toEqual([true, false, false]);
  },
);

test.each([
  ["max_tokens", "max_completion_tokens"],
  ["max_completion_tokens", "max_tokens"],
])("createQuirks gives the limit its other name when %s is refused", async (given) => {
  const message =
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  const refusal = refuses(message, { param: "max_tokens", code: "unsupported_parameter" });
  const { first, bodies } = await askTwice({ max_tokens: refusal }, { [given]: 9 });
  expect(kinds(first)).toEqual(["status", "hi", "answer"]);
  expect(bodies.at(-1)).toMatchObject({ max_completion_tokens: 9 });
});

test("createQuirks learns of several parameters one after the other", async () => {
  const refusals = {
    temperature: refuses("temperature is not supported"),
    top_p: refuses("top_p is not supported"),
  };
  const { first } = await askTwice(refusals, { temperature: 1, top_p: 1 });
  expect(kinds(first)).toEqual(["status", "status", "hi", "answer"]);
});

test.each([
  '"registry.ollama.ai/library/gemma:2b does not support tools"',
  '"This model does not support function calling."',
  '"`tool calling` is not supported with this model"',
])("createQuirks runs a model without tools that says %s", async (said) => {
  const message: string = JSON.parse(said);
  const { first, second, bodies } = await askTwice({ tools: refuses(message) }, { tool_choice: "auto" }, [
    tool,
  ]);
  expect(first[0]).toMatchObject({ type: "status", text: "m takes no tools: it answers without them" });
  expect(kinds(second)).toEqual(["hi", "answer"]);
  expect(bodies.map((body) => "tool_choice" in body)).toEqual([true, false, false]);
});

test.each<[string, Step, object]>([
  [
    "a value that is wrong",
    refuses("temperature must be at most 2", { param: "temperature" }),
    { temperature: 9 },
  ],
  [
    "what the client relies on",
    refuses("response_format is not supported", { param: "response_format" }),
    { response_format: { type: "json_object" } },
  ],
  ["what is none of its parameters", refuses("Unsupported image", { param: "messages" }), { temperature: 1 }],
])("createQuirks lets a refusal stand of %s", async (_, refusal, parameters) => {
  let asked = 0;
  await using server = scriptedModel(() => (asked++, refusal));
  const failed = collect(llmAt(server.url)(aRequest({ parameters: { ...parameters } })));
  await expect(failed).rejects.toMatchObject({ code: "provider_error", upstream: { status: 400 } });
  expect(asked).toBe(1);
});

test("createQuirks does not ask for ever what refuses the same again and again", async () => {
  let asked = 0;
  await using server = scriptedModel(
    () => (asked++, refuses("temperature, top_p, seed and user are not supported")),
  );
  const parameters = { temperature: 1, top_p: 1, seed: 1, user: "u" };
  await expect(collect(llmAt(server.url)(aRequest({ parameters })))).rejects.toMatchObject({
    code: "provider_error",
  });
  expect(asked).toBeLessThanOrEqual(6);
});

test("openAi calls the limit of a reply what its provider calls it", async () => {
  for (const [provider, name] of [
    ["openai", "max_completion_tokens"],
    ["mistral", "max_tokens"],
  ] as const) {
    await using server = scriptedModel([{ text: "hi" }]);
    const at = inferProvider({ provider, endpoint: server.url, key: "k", model: "m", timeoutMs: 5000 });
    await collect(openAi(at, createModels(at))(aRequest({ parameters: { max_tokens: 7 } })));
    expect(server.requests[0]?.body).toHaveProperty(name, 7);
  }
});

test("createQuirks lets all calls at once learn of the same refusal, and tells it once", async () => {
  const refusals = {
    tools: refuses("m does not support tools"),
    seed: refuses("Unrecognized request argument supplied: seed"),
  };
  await using server = scriptedModel(without(refusals));
  const llm = llmAt(server.url);
  const request = aRequest({ model: "m", parameters: { seed: 1 }, tools: [tool] });
  const all = await Promise.all(Array.from({ length: 8 }, () => collect(llm(request))));
  for (const events of all) expect(kinds(events).slice(-2)).toEqual(["hi", "answer"]);
  expect(all.flat().filter(({ type }) => type === "status")).toHaveLength(2);
});

test("createQuirks forgets after an hour", () => {
  let time = 0;
  const quirks = createQuirks(() => time);
  const refused = new AppError("provider_error", "no", {
    upstream: { status: 400, retryable: false, said: "seed is not supported" },
  });
  const request = aRequest({ parameters: { seed: 1 } });
  expect(quirks.learn("m", request, undefined, refused)?.said).toMatchObject({ code: "retry" });
  expect(quirks.of("m")?.refused).toEqual(new Set(["seed"]));
  time = 3_600_000;
  expect(quirks.of("m")).toBeUndefined();
});
