import { expect, test } from "bun:test";
import type { RunTurn } from "../../src/agent/turn.ts";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { operatorToken, startGateway } from "./helpers/gateway-server.ts";
import { done, said, step, text } from "./helpers/runs.ts";

/** A turn of session `last` ends at once, one of another begins and then waits for its end or for `go`. */
function waitsOutside(last: string, go?: Promise<void>): RunTurn {
  return async function* (turn) {
    yield step(1);
    yield text("begun");
    const cut = Promise.withResolvers<void>();
    turn.signal.addEventListener("abort", () => cut.reject(turn.signal.reason), { once: true });
    if (turn.sessionId !== last) await Promise.race([cut.promise, ...(go ? [go] : [])]);
    yield text("ended");
    yield said("begun ended");
    yield done();
  };
}

test("cancel by messageId ends the turn of the session that it names", async () => {
  await using gateway = await startGateway({ run: waitsOutside("none") });
  using client = await connectEnvelopes(gateway.url, operatorToken);
  for (const sessionId of ["a", "b"]) {
    client.send({ type: "user_message", text: "x", sessionId, messageId: "1" });
    await client.next("assistant_chunk", (envelope) => envelope.sessionId === sessionId);
  }

  client.send({ type: "cancel", sessionId: "a", messageId: "1" });
  const first = await client.next("error");
  // Without a session the one that was begun last here.
  client.send({ type: "cancel", messageId: "1" });
  const second = await client.next("error");

  expect(first).toMatchObject({ sessionId: "a", code: "cancelled" });
  expect(second).toMatchObject({ sessionId: "b", code: "cancelled" });
});

for (const [how, again] of [
  ["as a frame", { type: "user_message", text: "x", sessionId: "a", messageId: "1" }],
  [
    "by request",
    {
      type: "request",
      id: "r",
      method: "sessions.send",
      params: { session: "a", text: "x", messageId: "1" },
    },
  ],
] as const)
  test(`a message that comes twice ${how} while its turn runs is told once`, async () => {
    const go = Promise.withResolvers<void>();
    await using gateway = await startGateway({ run: waitsOutside("last", go.promise) });
    using client = await connectEnvelopes(gateway.url, operatorToken);
    const message = { type: "user_message", text: "x", sessionId: "a", messageId: "1" };
    client.send(message);
    await client.next("assistant_chunk");

    client.send(again);
    await client.next(
      ["accepted", "response"],
      (envelope) => envelope.id === "r" || client.heard[0] !== envelope,
    );
    go.resolve();
    await client.next("typing_stop");
    // Whatever would be told twice is told before this.
    client.send({ ...message, sessionId: "last" });
    await client.next("typing_stop", ({ sessionId }) => sessionId === "last");

    const ofA = client.heard.filter(({ sessionId, type }) => sessionId === "a" && type !== "accepted");
    expect(ofA.map(({ type, text: words }) => (type === "assistant_chunk" ? words : type))).toEqual([
      "typing_start",
      "status",
      "begun",
      "ended",
      "assistant_done",
      "typing_stop",
    ]);
  });

test("a repeat of a message whose turn is over is told its answer in a session that was resumed from now on", async () => {
  await using gateway = await startGateway();
  using client = await connectEnvelopes(gateway.url, operatorToken);
  const message = { type: "user_message", text: "x", sessionId: "a", messageId: "1" };
  client.send(message);
  await client.next("typing_stop");
  using other = await connectEnvelopes(gateway.url, operatorToken);
  other.send({ type: "resume", sessionId: "a" });

  other.send(message);
  await other.next("typing_stop");

  const words = other.heard.map(({ type, text: piece }) => (type === "assistant_chunk" ? piece : ""));
  expect(words.join("")).toBe("You said: x");
  expect(other.heard.map(({ type }) => type).slice(0, 2)).toEqual(["accepted", "typing_start"]);
});

test("messages that are repeated are answered one after the other, and then the log", async () => {
  await using gateway = await startGateway();
  const ids = ["1", "2"];
  using client = await connectEnvelopes(gateway.url, operatorToken);
  for (const messageId of ids) {
    client.send({ type: "user_message", text: "x", sessionId: "a", messageId });
    await client.next("typing_stop");
  }
  using other = await connectEnvelopes(gateway.url, operatorToken);

  for (const messageId of ids) other.send({ type: "user_message", text: "x", sessionId: "a", messageId });
  other.send({ type: "resume", sessionId: "a", after: "0" });
  for (const _ of [...ids, ...ids]) await other.next("typing_stop");

  const begun = other.heard.filter(({ type }) => type === "typing_start" || type === "typing_stop");
  expect(begun.map(({ inReplyToMessageId: of }) => of)).toEqual(["1", "1", "2", "2", "1", "1", "2", "2"]);
});

test("a resume that is refused leaves the one before as it was", async () => {
  await using gateway = await startGateway();
  await gateway.post("/api/sessions/a/messages", { text: "one" });
  using client = await connectEnvelopes(gateway.url, operatorToken);
  client.send({ type: "resume", sessionId: "a", after: "0" });
  await client.next("typing_stop");

  client.send({ type: "resume", sessionId: "a", after: "999" });
  await client.next("error");
  await gateway.post("/api/sessions/a/messages", { text: "two" });
  await client.next("typing_stop");

  expect(client.heard.filter(({ type }) => type === "typing_start")).toHaveLength(2);
});

test("a second resume of a session takes the place of the first: nothing is told twice", async () => {
  await using gateway = await startGateway();
  await gateway.post("/api/sessions/a/messages", { text: "one" });
  using client = await connectEnvelopes(gateway.url, operatorToken);
  client.send({ type: "resume", sessionId: "a", after: "0" });
  await client.next("typing_stop");

  client.send({ type: "resume", sessionId: "a", after: "0" });
  await client.next("typing_stop");
  await gateway.post("/api/sessions/a/messages", { text: "two" });
  await client.next("typing_stop");
  client.send({ type: "request", id: "r", method: "status.get" });
  await client.next("response");

  expect(client.heard.filter(({ type }) => type === "typing_start")).toHaveLength(3);
});
