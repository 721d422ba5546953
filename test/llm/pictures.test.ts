import { expect, test } from "bun:test";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import { hasPictures, resultMessage, showPictures, weightOf } from "../../src/llm/pictures.ts";
import { history } from "../../src/agent/history.ts";
import { expectValid, textOf } from "../helpers/valid-history.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { aRequest, collect, llmAt } from "./asking.ts";

const picture = (letter = "A") => `data:image/jpeg;base64,${letter.repeat(40_000)}`;
const call = (id: string) => ({ id, name: "browser", arguments: "{}" });

/** A question, and answers that each looked at a picture. */
const looked = (ids: readonly string[]): Message[] => [
  userMessage("Look"),
  ...ids.flatMap((id) => [assistantMessage("", [call(id)]), resultMessage(id, `seen ${id}`, [picture()])]),
];

const imagesIn = (messages: readonly Message[]) =>
  messages.flatMap(({ json }) => json.match(/"image_url":\{/g) ?? []).length;

test("resultMessage without a picture is a plain result", () => {
  expect(resultMessage("a", "text", [])).toEqual(toolMessage("a", "text"));
});

test("showPictures leaves a conversation without pictures as it is", () => {
  const messages = [
    userMessage("hi"),
    assistantMessage("", [call("a")]),
    toolMessage("a", '{"role":"tool","content":['),
  ];
  expect(showPictures(messages, true)).toBe(messages);
});

test("showPictures sends pictures as a message behind the results, which stay one for each call", () => {
  const messages = [
    userMessage("Look"),
    assistantMessage("", [call("a"), call("b"), call("c")]),
    resultMessage("a", "one", [picture()]),
    toolMessage("b", "two"),
    resultMessage("c", "three", [picture("B")]),
    assistantMessage("done"),
  ];
  const sent = showPictures(messages, true);
  expectValid(sent);
  expect(sent.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "tool",
    "tool",
    "assistant",
    "user",
    "assistant",
  ]);
  expect(textOf(sent[2])).toBe("one");
  expect(textOf(sent[6])).toContain("Picture of the tool call a");
  expect(imagesIn(sent)).toBe(2);
});

test("showPictures shows the newest only, and none to a model that takes none", () => {
  const messages = looked(["a", "b", "c", "d", "e"]);
  const sent = showPictures(messages, true);
  expectValid(sent);
  expect(imagesIn(sent)).toBe(3);
  expect(textOf(sent[2])).toContain("[The picture is not shown here.]");
  const told = showPictures(messages, false);
  expectValid(told);
  expect(imagesIn(told)).toBe(0);
  expect(told.some(hasPictures)).toBe(false);
});

test("history keeps pictures with their round, and counts them as what they cost", () => {
  const messages = looked(Array.from({ length: 30 }, (_, at) => `call${at}`));
  for (const maxBytes of [500, 3000, 10_000, 30_000, 100_000, 1_000_000]) {
    const kept = history({ entries: messages }, maxBytes);
    expectValid(kept);
    expectValid(showPictures(kept, true));
    if (maxBytes >= 10_000)
      expect(kept.reduce((sum, each) => sum + weightOf(each), 0)).toBeLessThanOrEqual(maxBytes);
  }
  expect(history({ entries: messages }, 30_000).some(hasPictures)).toBe(true);
  expect(history({ entries: messages }, 3000).some(hasPictures)).toBe(false);
});

test.each([
  [400, "Invalid content type. image_url is only supported by certain models."],
  [404, "No endpoints found that support image input"],
  [413, "Request too large"],
  [422, "messages[2].content must be a string"],
  [500, "image input is not supported - hint: you may need to provide the mmproj"],
  [400, "Bad request"],
])("openAi asks again without pictures when a provider answers %d: %s", async (status, message) => {
  await using server = scriptedModel((body) =>
    JSON.stringify(body).includes("image_url")
      ? { status, body: JSON.stringify({ error: { message } }) }
      : { text: "fine" },
  );
  const llm = llmAt(server.url);
  const request = aRequest({ model: "m", messages: looked(["a"]) });
  for (const asked of [2, 3]) {
    const events = await collect(llm(request));
    expect(events.at(-1)).toMatchObject({ type: "answer", message: { text: "fine" } });
    expect(server.requests).toHaveLength(asked);
  }
});

test("openAi shows pictures again behind a refusal that was not about them", async () => {
  const shows = (body: object) => JSON.stringify(body).includes("image_url");
  await using server = scriptedModel((body) =>
    "stop" in body
      ? { status: 400, body: '{"error":{"message":"Invalid \'stop\': array too long"}}' }
      : { text: "fine" },
  );
  const llm = llmAt(server.url);
  const messages = looked(["a"]);
  const wrong = collect(
    llm(aRequest({ model: "m", messages, parameters: { stop: ["a", "b", "c", "d", "e"] } })),
  );
  await expect(wrong).rejects.toMatchObject({ upstream: { status: 400 } });
  await collect(llm(aRequest({ model: "m", messages })));
  expect(server.requests.map(({ body }) => shows(body))).toEqual([true, false, true]);
});

test("openAi leaves out what was refused by name, and shows pictures that a guess had left out", async () => {
  const shows = (body: object) => JSON.stringify(body).includes("image_url");
  const refusal = (message: string) => ({ status: 400, body: JSON.stringify({ error: { message } }) });
  await using server = scriptedModel((body) => {
    if (!("seed" in body)) return { text: "fine" };
    return refusal(shows(body) ? "Bad request" : "seed is not supported");
  });
  await collect(
    llmAt(server.url)(aRequest({ model: "m", messages: looked(["a"]), parameters: { seed: 1 } })),
  );
  expect(server.requests.map(({ body }) => [shows(body), "seed" in body])).toEqual([
    [true, true],
    [false, true],
    [true, false],
  ]);
});
