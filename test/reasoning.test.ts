import { expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "./helpers/executable.ts";
import { type InProcess, startInProcess } from "./helpers/in-process.ts";
import { type ChatBody, type SeenRequest, type Step, scriptedModel } from "./helpers/model-server.ts";
import { delta, done, end, piece } from "./llm/corpus-chunks.ts";

const signature = { google: { thought_signature: "c2lnbmVk" } };
const weather = { name: "weather", parameters: { type: "object", properties: {} } };

/** Thinks, signs, and asks for a tool: the client's where it offers one, else ours. */
function thinks({ messages, tools }: ChatBody): Step {
  if (messages.at(-1)?.role === "tool") return { text: "It is sunny." };
  const name = tools.some((tool) => tool.function.name === "weather") ? "weather" : "time";
  const call = { index: 0, id: "call_1", type: "function", function: { name, arguments: "{}" } };
  const rawBytes = [
    delta({ reasoning_content: "Let me " }),
    delta({ reasoning_content: "see.", reasoning_details: [{ type: "reasoning.encrypted", data: "c2Vj" }] }),
    piece({ ...call, extra_content: signature }),
    end("tool_calls"),
    done,
  ];
  return { rawBytes };
}

/** The answer that asked for the tool, as the provider is sent it again. */
function replayed(request: SeenRequest | undefined): object | undefined {
  const { messages }: { messages: { tool_calls?: object[] }[] } = JSON.parse(request?.raw ?? "{}");
  return messages.find(({ tool_calls }) => tool_calls);
}
const asItCame = {
  reasoning_content: "Let me see.",
  reasoning_details: [{ type: "reasoning.encrypted", data: "c2Vj" }],
  tool_calls: [{ id: "call_1", extra_content: signature }],
};

const idOf = async (response: Response): Promise<string> => {
  const text = await response.text();
  return /"id": ?"(resp_[^"]+)"/.exec(text)?.[1] ?? text;
};

for (const stream of [false, true])
  test(`a response that continues another sends what its provider wants back, over a restart, and no other provider (${stream ? "streamed" : "whole"})`, async () => {
    await using folder = await temporaryFolder();
    await using lab = scriptedModel(thinks);
    await using other = scriptedModel(() => ({ text: "ok" }), { models: ["n"] });
    const env = {
      OPENCLAW_DATA_DIR: join(folder.path, "data"),
      OPENCLAW_PROVIDERS: JSON.stringify([
        { name: "lab", endpoint: lab.url, model: "m", models: ["m"] },
        { name: "other", endpoint: other.url, models: ["n"] },
      ]),
    };
    const tools = [{ type: "function", ...weather }];
    const answer = { type: "function_call_output", call_id: "call_1", output: "sunny" };
    const ask = (server: InProcess, body: object) => server.ask("/v1/responses", { tools, stream, ...body });
    let asked: string;
    {
      await using server = await startInProcess(env);
      asked = await idOf(await ask(server, { input: "Graz?" }));
    }
    await using server = await startInProcess(env);
    const answered = await idOf(await ask(server, { input: [answer], previous_response_id: asked }));
    expect(replayed(lab.requests.at(-1))).toMatchObject(asItCame);

    // What came before the response that is continued goes along too.
    await idOf(await ask(server, { input: "And Linz?", previous_response_id: answered }));
    expect(lab.requests).toHaveLength(3);
    expect(replayed(lab.requests.at(-1))).toMatchObject(asItCame);

    await idOf(await ask(server, { input: [answer], previous_response_id: asked, model: "other/n" }));
    expect(replayed(other.requests.at(-1))).toMatchObject({ tool_calls: [{ id: "call_1" }] });
    for (const secret of ["c2lnbmVk", "c2Vj", "Let me see."])
      expect(other.requests.at(-1)?.raw).not.toContain(secret);
  });

test("the steps of a turn, and the next turns of its session, send what the provider wants back", async () => {
  await using lab = scriptedModel(thinks);
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: lab.url,
    MODEL_PROVIDER_MODEL: "m",
  });
  const say = async (content: string) => {
    const headers = { "x-openclaw-session-id": "s" };
    const body = { messages: [{ role: "user", content }] };
    return (await server.ask("/v1/chat/completions", body, { headers })).json();
  };
  expect((await say("What time is it?")).choices[0].message.content).toBe("It is sunny.");
  await say("And now?");

  expect(lab.requests.length).toBeGreaterThan(2);
  for (const request of lab.requests.slice(1)) expect(replayed(request)).toMatchObject(asItCame);
  // It is the provider's, and no client's.
  expect(await (await server.ask("/api/sessions/s/messages")).text()).not.toContain("c2lnbmVk");
});

test.each<Step>([
  { text: [], reasoning: "and so on until", finishReason: "length" },
  { text: [], finishReason: "malformed_function_call" },
  { text: [], finishReason: "tool_calls" },
])(
  "an empty answer (%j) is no obstacle to the next turns of its session, nor to its summary",
  async (empty) => {
    // Takes no answer in the history that neither says nor calls anything, as Anthropic and Mistral do.
    const isEmpty = ({ role, content, tool_calls }: ChatBody["messages"][number]) =>
      role === "assistant" && content === "" && !tool_calls;
    const body = '{"error":{"message":"messages: text content blocks must be non-empty"}}';
    await using lab = scriptedModel(({ messages }, at) =>
      messages.some(isEmpty) ? { status: 400, body } : at === 0 ? empty : { text: "fine" },
    );
    await using server = await startInProcess({
      MODEL_PROVIDER_ENDPOINT: lab.url,
      MODEL_PROVIDER_MODEL: "m",
      OPENCLAW_LLM_RETRIES: "0",
    });
    const headers = { "x-openclaw-session-id": "s" };
    const say = async (content: string) => {
      const messages = [{ role: "user", content }];
      const answer = await server.ask("/v1/chat/completions", { messages }, { headers });
      return [answer.status, (await answer.json()).choices?.[0].finish_reason];
    };

    // What a call was lost from is told as the fault that it is.
    expect(await say("one")).toEqual(empty.reasoning ? [200, "length"] : [502, undefined]);
    for (const text of ["two", "/compact", "three"]) expect(await say(text)).toEqual([200, "stop"]);
  },
);
