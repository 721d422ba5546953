import { expect, test } from "bun:test";
import { connect } from "node:net";
import type { RunTurn } from "../../src/agent/turn.ts";
import { toolMessage } from "../../src/llm/message.ts";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { until } from "../helpers/until.ts";
import { operatorToken, startGateway, type TestGateway } from "./helpers/gateway-server.ts";
import { done, said, step, text } from "./helpers/runs.ts";

const results = 200;
const result = "r".repeat(100_000);
const settings = { sendBufferBytes: 256 * 1024 };

/** Tells far more than may wait for one reader, and than the network between holds. */
const tellsMuch: RunTurn = async function* () {
  yield step(1);
  for (let at = 0; at < results; at++) {
    const callId = `call-${at}`;
    const name = { callId, toolName: "time" };
    yield { type: "tool_start", ...name, argumentsPreview: "{}" };
    yield {
      type: "tool_result",
      ...name,
      text: result,
      resultStatus: "ok",
      durationMs: 1,
      message: toolMessage(callId, "noon"),
    };
  }
  yield text("the answer");
  yield said("the answer");
  yield done();
};

/** Says something in session `s` as message `m`, and waits until its turn is over. */
async function runToTheEnd(gateway: TestGateway): Promise<string> {
  const sent = await gateway.post("/api/sessions/s/messages", { text: "x", messageId: "m" });
  const { turn } = (await sent.json()) as { turn: string };
  await until("the turn is over", async () => {
    const { state } = (await (await gateway.ask(`/api/turns/${turn}`)).json()) as { state: string };
    return state === "done";
  });
  return turn;
}

const countOf = (haystack: string, needle: string) => haystack.split(needle).length - 1;

test("a repeat of an Idempotency-Key streams a long answer again, at the pace of its reader", async () => {
  await using gateway = await startGateway({ run: tellsMuch, settings });
  await runToTheEnd(gateway);

  const again = await gateway.post(
    "/v1/chat/completions",
    { messages: [{ role: "user", content: "x" }], stream: true },
    { headers: { "x-openclaw-session-id": "s", "idempotency-key": "m" } },
  );
  const told = await again.text();

  expect(countOf(told, "openclaw_tool_result")).toBe(results);
  expect(told).toContain("[DONE]");
});

test("turns.events of a long turn that is over are told whole, at the pace of their reader", async () => {
  await using gateway = await startGateway({ run: tellsMuch, settings });
  const turn = await runToTheEnd(gateway);

  const told = await (await gateway.ask(`/api/turns/${turn}/events`)).text();

  expect(countOf(told, '"type":"tool_result"')).toBe(results);
  expect(told).toContain('"type":"assistant_done"');
  expect(told).not.toContain("event: error");
});

for (const [what, frame] of [
  ["resume from a cursor", { type: "resume", sessionId: "s", after: "0" }],
  ["a repeated message", { type: "user_message", text: "x", sessionId: "s", messageId: "m" }],
] as const)
  test(`${what} is told a long log on a WebSocket at the pace of its reader, who is not closed with 1013`, async () => {
    await using gateway = await startGateway({ run: tellsMuch, settings });
    await runToTheEnd(gateway);
    using client = await connectEnvelopes(gateway.url, operatorToken);

    client.send(frame);
    await client.next("typing_stop");

    expect(client.heard.filter(({ type }) => type === "tool_result")).toHaveLength(results);
  });

test("resume is told a long log whole over a slow link, and other frames are answered meanwhile", async () => {
  await using gateway = await startGateway({ run: tellsMuch, settings });
  await runToTheEnd(gateway);
  const slow = connect(gateway.port, "127.0.0.1");
  slow.write(
    `GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const frames = [
    { type: "resume", sessionId: "s", after: "0" },
    { type: "request", id: "r", method: "status.get" },
  ].map((frame) => JSON.stringify(frame));
  for (const frame of frames)
    slow.write(`\x81${String.fromCharCode(0x80 | frame.length)}\0\0\0\0${frame}`, "latin1");
  const heard: string[] = [];
  const over = Promise.withResolvers<void>();
  slow.on("data", (bytes) => {
    heard.push(bytes.toString("latin1"));
    // So that there is always more than the network holds.
    slow.pause();
    setTimeout(() => slow.resume(), 1);
    if (heard.slice(-2).join("").includes("typing_stop")) over.resolve();
  });
  slow.on("close", () => over.resolve());
  await over.promise;
  slow.destroy();
  const told = heard.join("");

  expect(countOf(told, '"type":"tool_result"')).toBe(results);
  expect(told.indexOf('"type":"response"')).toBeLessThan(told.indexOf("assistant_done"));
});

test("turns.events is not read on for a client that leaves", async () => {
  const followed = Promise.withResolvers<Promise<unknown>>();
  await using gateway = await startGateway({
    run: tellsMuch,
    settings,
    instead: ({ turns }) => ({
      turns: {
        ...turns,
        follow(...of) {
          const following = turns.follow(...of);
          followed.resolve(following.catch((error: unknown) => error));
          return following;
        },
      },
    }),
  });
  const turn = await runToTheEnd(gateway);
  const leaving = new AbortController();

  const answer = await gateway.ask(`/api/turns/${turn}/events`, { signal: leaving.signal });
  leaving.abort();

  expect(await await followed.promise).toMatchObject({ code: "cancelled" });
  await expect(answer.text()).rejects.toThrow();
});
