import { expect, test } from "bun:test";
import { AppError, busy } from "../../src/errors.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { aliceToken, bobToken, operatorToken, startGateway } from "./helpers/gateway-server.ts";
import { done, fails, plays, said, step, text, toolCall, usage, waits } from "./helpers/runs.ts";
import { openSocket, types } from "./helpers/socket.ts";

const token = operatorToken;

test("a socket that sends plain text is answered by one plain text frame", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send("hello");

  expect(await socket.nextText()).toBe("You said: hello");
});

test("a socket that speaks plain text takes other JSON as text", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send('{"type":"greeting"}');

  expect(await socket.nextText()).toBe('You said: {"type":"greeting"}');
});

test("a socket tells a plain text client in one line what went wrong, and the busy line as it is", async () => {
  await using failing = await startGateway({ run: fails(new AppError("budget_exceeded", "Spent.")) });
  await using full = await startGateway({ run: fails(busy()) });
  using first = await openSocket(failing.url, { token });
  using second = await openSocket(full.url, { token });

  first.send("hello");
  second.send("hello");

  expect(await first.nextText()).toBe("Error: Spent.");
  expect(await second.nextText()).toBe("Server is busy. Please retry.");
});

test("a socket asks a plain text client for an approval in lines that clients of OpenClaw.NET read", async () => {
  const approval = {
    type: "approval",
    callId: "c",
    toolName: "memory",
    argumentsPreview: '{"a":1}',
    reason: "asks",
  } as const;
  await using gateway = await startGateway({
    run: plays({ ...approval, approvalId: "apr_0011223344556677" }, done()),
  });
  using socket = await openSocket(gateway.url, { token });

  socket.send("write it");

  const lines = (await socket.nextText()).split("\n");
  expect(lines.slice(0, 4)).toEqual([
    "Tool approval required.",
    "- id: apr_0011223344556677",
    "- tool: memory",
    '- args: {"a":1}',
  ]);
  expect(lines[4]).toContain("/approve apr_0011223344556677 yes|no");
});

test("an envelope switches the socket, and a turn is told in the order of the protocol", async () => {
  const run = plays(
    step(1),
    text("Let me look."),
    said("Let me look."),
    ...toolCall(),
    step(2),
    text("It is noon."),
    said("It is noon."),
    done(),
  );
  await using gateway = await startGateway({ run });
  using socket = await openSocket(gateway.url, { token });

  socket.send({ type: "user_message", text: "What time is it?", messageId: "m1" });
  const frames = await socket.until("typing_stop");

  expect(types(frames)).toEqual([
    "accepted",
    "typing_start",
    "status",
    "assistant_chunk",
    "tool_start",
    "tool_chunk",
    "tool_result",
    "status",
    "assistant_chunk",
    "assistant_done",
    "typing_stop",
  ]);
  const [accepted, typing] = frames;
  for (const { sessionId, cursor } of frames) {
    expect(sessionId).toBe(accepted?.sessionId);
    expect(cursor).toBeString();
  }
  expect(accepted).toMatchObject({
    inReplyToMessageId: "m1",
    turnId: expect.any(String),
    cursor: expect.any(String),
  });
  expect(typing).toMatchObject({ inReplyToMessageId: "m1", sessionId: accepted?.sessionId });
  expect(String(accepted?.sessionId)).toStartWith("websocket:");
  expect(frames.find((frame) => frame.type === "tool_start")).toMatchObject({
    text: "time",
    toolName: "time",
    callId: "call-1",
    argumentsPreview: "{}",
  });
  expect(frames.find((frame) => frame.type === "tool_result")).toMatchObject({
    text: "noon",
    resultStatus: "ok",
    durationMs: 4,
  });
  expect(frames.find((frame) => frame.type === "assistant_done")).toMatchObject({
    usage,
    inReplyToMessageId: "m1",
  });
});

test("a user_message without a messageId is not acknowledged, and its text may be called content", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send({ type: "user_message", content: "hello", messageId: null });
  const frames = await socket.until("typing_stop");

  expect(types(frames)).toEqual([
    "typing_start",
    "status",
    "assistant_chunk",
    "assistant_chunk",
    "assistant_done",
    "typing_stop",
  ]);
  expect(frames.map((frame) => frame.text ?? "").join("")).toContain("You said: hello");
});

test("a messageId that was seen before is answered again and not run again", async () => {
  let runs = 0;
  await using gateway = await startGateway({
    async *run() {
      yield text(`run ${++runs}`);
      yield done();
    },
  });
  const message = { type: "user_message", text: "once", messageId: "m1", sessionId: "chat-1" };
  using first = await openSocket(gateway.url, { token });
  first.send(message);
  await first.until("typing_stop");
  using second = await openSocket(gateway.url, { token });

  second.send(message);
  const frames = await second.until("typing_stop");

  expect(types(frames)).toEqual([
    "accepted",
    "typing_start",
    "assistant_chunk",
    "assistant_done",
    "typing_stop",
  ]);
  expect(frames[2]).toMatchObject({ text: "run 1" });
  expect(runs).toBe(1);
});

test("messages of one socket are accepted in the order in which they came", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });
  for (let at = 0; at < 5; at++)
    socket.send({ type: "user_message", text: `${at}`, messageId: `m${at}`, sessionId: at % 2 ? "a" : "b" });

  const order: unknown[] = [];
  while (order.length < 5) {
    const frame = await socket.next();
    if (frame.type === "accepted") order.push(frame.inReplyToMessageId);
  }

  expect(order).toEqual(["m0", "m1", "m2", "m3", "m4"]);
});

test("cancel ends the turn with an error and typing_stop, and keeps the session", async () => {
  const waiting = waits();
  await using gateway = await startGateway({ run: waiting.run });
  using socket = await openSocket(gateway.url, { token });
  socket.send({ type: "user_message", text: "wait", messageId: "m1", sessionId: "chat-1" });
  await socket.until("assistant_chunk");

  socket.send({ type: "cancel", messageId: "m1" });
  const frames = await socket.until("typing_stop");

  expect(types(frames)).toEqual(["error", "typing_stop"]);
  expect(frames[0]).toMatchObject({ code: "cancelled", inReplyToMessageId: "m1" });
  expect((await gateway.ask("/api/sessions/chat-1")).status).toBe(200);
});

test("cancel of nothing, and of somebody else's session, is refused", async () => {
  await using gateway = await startGateway();
  using alice = await openSocket(gateway.url, { token: aliceToken });
  alice.send({ type: "user_message", text: "mine", sessionId: "chat-1" });
  await alice.until("typing_stop");
  using bob = await openSocket(gateway.url, { token: bobToken });

  bob.send({ type: "cancel", sessionId: "chat-1" });
  bob.send({ type: "cancel", sessionId: "chat-2" });
  alice.send({ type: "cancel", sessionId: "chat-1" });

  const [foreign, none, idle] = [await bob.next(), await bob.next(), await alice.next()];
  expect(foreign).toMatchObject({ type: "error", code: "not_found", text: "There is no session chat-1." });
  expect(none).toMatchObject({ type: "error", code: "not_found", text: "There is no session chat-2." });
  expect(idle).toMatchObject({ type: "error", code: "not_found" });
});

test("resume replays what followed the cursor and goes on live, each event once", async () => {
  await using gateway = await startGateway();
  using first = await openSocket(gateway.url, { token });
  first.send({ type: "user_message", text: "one", messageId: "m1", sessionId: "chat-1" });
  const [accepted] = await first.until("typing_stop");
  using second = await openSocket(gateway.url, { token });

  second.send({ type: "resume", sessionId: "chat-1", after: accepted?.cursor });
  const replayed = await second.until("typing_stop");
  second.send({ type: "user_message", text: "two", messageId: "m2", sessionId: "chat-1" });
  const live = await second.until("typing_stop");

  expect(replayed[0]).toMatchObject({ type: "typing_start", inReplyToMessageId: "m1" });
  expect(replayed.map((frame) => (frame.type === "assistant_chunk" ? frame.text : "")).join("")).toBe(
    "You said: one",
  );
  expect(types(live)).toEqual([
    "accepted",
    "typing_start",
    "status",
    "assistant_chunk",
    "assistant_chunk",
    "assistant_done",
    "typing_stop",
  ]);
});

test("resume of a session whose turn this socket hears loses nothing of it while the log is read, and tells nothing twice", async () => {
  for (const [after, refused] of [
    [undefined, false],
    ["0", false],
    ["99", true],
  ] as const) {
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const followed = Promise.withResolvers<void>();
    const spoken = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      async *run() {
        yield text("one ");
        await asked.promise;
        yield text("two ");
        yield text("three ");
        spoken.resolve();
        await followed.promise;
        yield text("four");
        yield done();
      },
      instead: ({ turns }) => ({
        turns: {
          ...turns,
          async follow(...of) {
            asked.resolve();
            await held.promise;
            return turns.follow(...of).finally(followed.resolve);
          },
        },
      }),
    });
    using socket = await openSocket(gateway.url, { token });
    socket.send({ type: "user_message", text: "x", messageId: "m1", sessionId: "chat-1" });
    const before = await socket.until("assistant_chunk");
    socket.send({ type: "resume", sessionId: "chat-1", ...(after !== undefined && { after }) });
    await spoken.promise;
    held.resolve();
    const frames = await socket.until("typing_stop");

    const textOf = (all: typeof frames) =>
      all.map((frame) => (frame.type === "assistant_chunk" ? frame.text : "")).join("");
    expect(textOf(before)).toBe("one ");
    // From its beginning on everything is asked for again.
    expect(textOf(frames)).toBe(after === "0" ? "one two three four" : "two three four");
    expect(types(frames).includes("error")).toBe(refused);
  }
});

test("a socket for which too much is kept while the log is read is closed with 1013, and its turn goes on", async () => {
  const asked = Promise.withResolvers<void>();
  const spoken = Promise.withResolvers<void>();
  await using gateway = await startGateway({
    settings: { sendBufferBytes: 1000 },
    async *run() {
      await asked.promise;
      for (let at = 0; at < 20; at++) yield text("x".repeat(100));
      yield done();
      spoken.resolve();
    },
    instead: ({ turns }) => ({
      turns: {
        ...turns,
        async follow(...of) {
          asked.resolve();
          await spoken.promise;
          return turns.follow(...of);
        },
      },
    }),
  });
  using socket = await openSocket(gateway.url, { token });
  socket.send({ type: "user_message", text: "x", messageId: "m1", sessionId: "chat-1" });
  await socket.until("accepted");
  socket.send({ type: "resume", sessionId: "chat-1" });

  expect(await socket.closed).toMatchObject({ code: 1013 });
  await spoken.promise;
});

test("resume of somebody else's session is the same not_found as of none", async () => {
  await using gateway = await startGateway();
  using alice = await openSocket(gateway.url, { token: aliceToken });
  alice.send({ type: "user_message", text: "mine", sessionId: "chat-1" });
  await alice.until("typing_stop");
  using bob = await openSocket(gateway.url, { token: bobToken });

  bob.send({ type: "resume", sessionId: "chat-1", after: "0" });
  bob.send({ type: "user_message", text: "let me in", sessionId: "chat-1", messageId: "m" });

  expect(await bob.next()).toMatchObject({ type: "error", code: "not_found" });
  const refused = await bob.until("typing_stop");
  expect(types(refused)).toEqual(["error", "typing_stop"]);
  expect(refused[0]).toMatchObject({ code: "not_found", inReplyToMessageId: "m" });
});

test("request answers an operation by one response with its id", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send({ type: "request", id: "r1", method: "status.get", params: {} });
  socket.send({ type: "request", id: 2, method: "sessions.get", params: { session: "none" } });
  socket.send({ type: "request", id: "r3", method: "nothing.at.all" });
  socket.send({ type: "request", id: "r4", method: "sessions.export", params: { session: "none" } });

  const answers = new Map(
    [await socket.next(), await socket.next(), await socket.next(), await socket.next()].map((frame) => [
      frame.id,
      frame,
    ]),
  );
  expect(answers.get("r1")).toMatchObject({
    type: "response",
    result: { version: "0.0.0-test", model: "small" },
  });
  expect(answers.get(2)).toMatchObject({ error: { code: "not_found" } });
  expect(answers.get("r3")).toMatchObject({ error: { code: "not_found" } });
  expect(answers.get("r4")).toMatchObject({ error: { code: "unsupported" } });
});

test("a request that starts a turn is answered before the turn is told", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send({
    type: "request",
    id: "r",
    method: "sessions.send",
    params: { session: "chat-1", text: "hi", messageId: "m" },
  });
  const frames = await socket.until("typing_stop");

  expect(types(frames).slice(0, 2)).toEqual(["response", "typing_start"]);
  expect(frames[0]).toMatchObject({ result: { session: "chat-1", repeated: false } });
});

test("an approval is decided over the socket by its requester alone", async () => {
  await using gateway = await startGateway();
  using alice = await openSocket(gateway.url, { token: aliceToken });
  using bob = await openSocket(gateway.url, { token: bobToken });
  const turn = aTurn({ principal: { name: "alice", scope: "chat" } });
  const { id } = await gateway.approvals.ask(turn, {
    callId: "c",
    toolName: "memory",
    argumentsJson: "{}",
    reason: "asks",
  });
  const decision = { type: "tool_approval_decision", approvalId: id, approved: true };

  bob.send(decision);
  expect(await bob.next()).toMatchObject({
    type: "assistant_message",
    text: `Approval id is not valid for this sender/channel: ${id}`,
  });
  alice.send({ ...decision, scope: "always" });
  expect(await alice.next()).toMatchObject({ type: "error", code: "forbidden" });
  alice.send({ ...decision, scope: "forever" });
  expect(await alice.next()).toMatchObject({ type: "error", code: "bad_request" });
  alice.send(decision);
  expect(await alice.next()).toMatchObject({
    type: "assistant_message",
    text: `Tool approval recorded: ${id} = approved`,
  });
  alice.send(decision);
  expect(await alice.next()).toMatchObject({ text: `No pending approval found for id: ${id}` });
});

test("a socket in envelope mode refuses what it does not know, and takes text that is not JSON", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });
  socket.send({ type: "heartbeat" });

  socket.send({ type: "greeting" });
  socket.send("[1, 2]");
  socket.socket.send(new Uint8Array([1, 2, 3]));
  socket.send({ type: "user_message", text: 5, messageId: "m" });
  socket.send(`{"type":"user_message","text":"x","a":${"[".repeat(1000)}${"]".repeat(1000)}}`);
  socket.send({ type: "user_message", text: "" });
  socket.send({ type: "user_message", text: "x", sessionId: "not an id" });
  socket.send({ type: "user_message", text: "x", sessionId: "telegram:1" });

  const errors = [];
  for (let at = 0; at < 8; at++) {
    const frame = await socket.next();
    if (frame.type === "typing_stop") at--;
    else errors.push(frame);
  }
  expect(errors.map(({ code }) => code)).toEqual([
    "unknown_type",
    "unknown_type",
    "unsupported",
    "bad_request",
    "unknown_type",
    "bad_request",
    "bad_request",
    "bad_request",
  ]);
  expect(errors[3]).toMatchObject({ inReplyToMessageId: "m" });
  await socket.next();
  socket.send("just text");
  expect((await socket.until("assistant_done")).map((frame) => frame.text ?? "").join("")).toContain(
    "You said: just text",
  );
});

test("a socket with too many messages in a minute is closed with 1008", async () => {
  await using gateway = await startGateway({ settings: { messagesPerMinute: 2 } });
  using socket = await openSocket(gateway.url, { token });

  for (let at = 0; at < 5; at++) socket.send({ type: "heartbeat" });

  expect(await socket.closed).toMatchObject({ code: 1008 });
});

test("a socket beyond the limit of connections is closed with 1008, and its place is free when another goes", async () => {
  await using gateway = await startGateway({ settings: { maxConnections: 1 } });
  const first = await openSocket(gateway.url, { token });
  const second = await openSocket(gateway.url, { token });
  expect(await second.closed).toMatchObject({ code: 1008, reason: "too many connections" });
  first.socket.close();
  await first.closed;

  using third = await openSocket(gateway.url, { token });
  third.send("hello");

  expect(await third.nextText()).toBe("You said: hello");
});

test("a frame that is too big closes the socket with 1009", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  socket.send("x".repeat(64 * 1024 + 1));

  expect(await socket.closed).toMatchObject({ code: 1009 });
});

test("a server that goes away closes its sockets with 1001", async () => {
  await using gateway = await startGateway();
  using socket = await openSocket(gateway.url, { token });

  await gateway.stop(1000);

  expect(await socket.closed).toMatchObject({ code: 1001 });
});
