import { expect, test } from "bun:test";
import OpenAI from "openai";
import { operatorToken, startGateway } from "./helpers/gateway-server.ts";
import { openSocket } from "./helpers/socket.ts";
import { echo } from "./helpers/runs.ts";

const headers = { "x-openclaw-session-id": "kept", "idempotency-key": "key-1" };

test("an Idempotency-Key that comes again with another message is refused, and not retried by the openai package", async () => {
  let turns = 0;
  await using gateway = await startGateway({
    run: (turn) => (turns++, echo(turn)),
  });
  let requests = 0;
  const { chat, responses } = new OpenAI({
    apiKey: operatorToken,
    baseURL: `${gateway.url}/v1`,
    defaultHeaders: headers,
    fetch: (url, init) => (requests++, fetch(url, init)),
  });
  const ask = (content: string | OpenAI.ChatCompletionContentPart[]) =>
    chat.completions.create({ model: "small", messages: [{ role: "user", content }] }).then(
      ({ choices }) => choices[0]?.message.content,
      (thrown) => thrown,
    );
  const image = { type: "image_url" as const, image_url: { url: "data:image/png;base64,AA==" } };

  expect(await ask("one\0")).toBe("You said: one\0");
  expect(await ask("one\0")).toBe("You said: one\0");
  const other = await ask("two");
  expect(other).toBeInstanceOf(OpenAI.UnprocessableEntityError);
  expect([other.code, other.message]).toEqual(["key_reused", expect.stringContaining("key-1")]);
  expect(await ask([{ type: "text", text: "one\0" }, image])).toMatchObject({ code: "key_reused" });
  const streamed = responses.create({ model: "small", input: "three", stream: true });
  expect(
    await streamed.then(
      () => "no failure",
      (thrown) => thrown.code,
    ),
  ).toBe("key_reused");

  expect([turns, requests]).toEqual([1, 5]);
});

test("on /ws a messageId that comes again is answered again, whatever its text", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token: operatorToken });

  for (const text of ["one", "two"]) {
    socket.send({ type: "user_message", text, sessionId: "kept", messageId: "m" });
    const frames = await socket.until("typing_stop");
    expect(
      frames
        .filter(({ type }) => type === "assistant_chunk")
        .map((frame) => frame.text)
        .join(""),
    ).toBe("You said: one");
  }
});
