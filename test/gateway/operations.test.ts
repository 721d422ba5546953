import { expect, test } from "bun:test";
import { aTurn } from "../helpers/a-turn.ts";
import { operations } from "../../src/gateway/operations/index.ts";
import { noUsage } from "../../src/llm/message.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as usage from "../../src/store/usage.ts";
import {
  aliceToken,
  bobToken,
  operatorToken,
  startGateway,
  type TestGateway,
} from "./helpers/gateway-server.ts";
import { done, fails, plays, said, text, waits } from "./helpers/runs.ts";
import { noticed, slowStore } from "./helpers/slow-store.ts";

const read = async (response: Response | Promise<Response>) => {
  const answer = await response;
  return { status: answer.status, body: await answer.json() };
};

async function eventsOf(gateway: TestGateway, turn: string, headers: Record<string, string> = {}) {
  const stream = await gateway.ask(`/api/turns/${turn}/events`, { headers });
  const events = (await stream.text()).split("\n\n").filter((event) => event !== "");
  return { type: stream.headers.get("content-type"), events };
}

/** Says something and waits until it is answered. */
async function say(gateway: TestGateway, session: string, words: string, token?: string) {
  const sent = await read(
    gateway.post(`/api/sessions/${session}/messages`, { text: words }, token === undefined ? {} : { token }),
  );
  expect(sent.status).toBe(200);
  await eventsOf(gateway, sent.body.turn);
  return sent.body;
}

test("operations have names and routes of their own", () => {
  expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
  expect(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size).toBe(operations.length);
});

test("status.get, models.list and tools.list tell what there is", async () => {
  await using gateway = await startGateway();

  expect((await read(gateway.ask("/api/status"))).body).toMatchObject({
    version: "0.0.0-test",
    provider: "test",
    principal: { name: "operator" },
  });
  expect((await read(gateway.ask("/api/models"))).body.items[0]).toEqual({ id: "small", provider: "test" });
  expect((await read(gateway.ask("/api/tools"))).body.items[0]).toMatchObject({
    name: "time",
    needs: ["time"],
  });
});

test("status.get tells a chat token what it talks to and as whom, and nothing of how the server fares", async () => {
  await using gateway = await startGateway();

  expect((await read(gateway.ask("/api/status", { token: aliceToken }))).body).toEqual({
    version: "0.0.0-test",
    model: "small",
    principal: { name: "alice", scope: "chat" },
  });
});

test("sessions.send answers with the turn, whose events follow over SSE to its end", async () => {
  await using gateway = await startGateway();

  const sent = await read(gateway.post("/api/sessions/chat-1/messages", { text: "hi", messageId: "m1" }));
  const { type, events } = await eventsOf(gateway, sent.body.turn);

  expect(sent.body).toMatchObject({ session: "chat-1", repeated: false });
  expect(type).toStartWith("text/event-stream");
  expect(events[0]).toContain('"type":"typing_start","inReplyToMessageId":"m1"');
  expect(events.at(-1)).toContain('"type":"typing_stop"');
  expect(events.join()).toContain("You said: ");
});

test("turns.events goes on after Last-Event-ID, and ends when nothing is left", async () => {
  await using gateway = await startGateway();
  const { turn } = await say(gateway, "chat-1", "hi");
  const { events } = await eventsOf(gateway, turn);
  const last = /id: (\S+)/.exec(events.at(-1) ?? "")?.[1] ?? "";

  const rest = await eventsOf(gateway, turn, { "last-event-id": last });
  const refused = await gateway.ask(`/api/turns/${turn}/events`, {
    headers: { "last-event-id": "yesterday" },
  });

  expect(rest.events).toEqual([]);
  expect(refused.status).toBe(400);
  expect((await gateway.ask(`/api/turns/${turn}/events`, { method: "HEAD" })).status).toBe(405);
});

test("turns.events is not followed on for a client that leaves while the log is read", async () => {
  const waiting = waits();
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  await using gateway = await startGateway({
    run: waiting.run,
    instead: ({ turns }) => ({
      turns: {
        ...turns,
        async follow(...of) {
          const stop = await turns.follow(...of);
          asked.resolve();
          await held.promise;
          return () => {
            stop();
            stopped.resolve();
          };
        },
      },
    }),
  });
  const { body } = await read(gateway.post("/api/sessions/chat-1/messages", { text: "x" }));
  const leaving = new AbortController();
  const following = gateway.ask(`/api/turns/${body.turn}/events`, { signal: leaving.signal });
  await asked.promise;
  leaving.abort();
  await expect(following).rejects.toThrow();
  await noticed(gateway);

  held.resolve();

  await stopped.promise;
});

test("a withdrawn token ends its streams and its turns without a session, and no others", async () => {
  const waiting = waits();
  await using gateway = await startGateway({ run: waiting.run });
  const openStream = async (token: string) => {
    const { body } = await read(gateway.post(`/api/sessions/of-${token}/messages`, { text: "x" }, { token }));
    return gateway.ask(`/api/turns/${body.turn}/events`, { token });
  };
  const messages = [{ role: "user", content: "x" }];
  const whole = gateway.post("/v1/chat/completions", { messages }, { token: aliceToken });
  await waiting.begun;
  const events = await openStream(aliceToken);
  const others = await openStream(bobToken);
  const stream = await gateway.post(
    "/v1/chat/completions",
    { messages, stream: true },
    { token: aliceToken },
  );
  const kept = await gateway.post(
    "/v1/chat/completions",
    { messages, stream: true },
    { token: aliceToken, headers: { "x-openclaw-session-id": "chat-1" } },
  );

  gateway.gateway.takeTokens({
    authToken: operatorToken,
    clientTokens: [{ name: "bob", token: bobToken }],
  });

  expect(await events.text()).not.toContain("typing_stop");
  expect(await stream.text()).toContain("The token of this request is no longer valid.");
  expect(await kept.text()).toContain("The token of this request is no longer valid.");
  expect((await whole).status).toBe(499);
  await gateway.turns.cancel((await gateway.turns.current(`of-${bobToken}`)) ?? "");
  expect(await others.text()).toContain("typing_stop");
});

test("a token that is withdrawn while its log is read hears nothing of it", async () => {
  const slow = slowStore();
  await using gateway = await startGateway({ instead: ({ store }) => ({ store: slow.over(store) }) });
  const sent = await say(gateway, "chat-1", "x", aliceToken);
  slow.hold();
  const following = gateway.ask(`/api/turns/${sent.turn}/events`, { token: aliceToken });
  await slow.reading;

  gateway.gateway.takeTokens({ authToken: operatorToken, clientTokens: [] });
  slow.release();

  expect(await (await following).text()).toBe("");
});

test("turns.get tells how a turn ended, and turns.cancel ends one that runs", async () => {
  const waiting = waits();
  await using gateway = await startGateway({ run: waiting.run });
  const { body } = await read(gateway.post("/api/sessions/chat-1/messages", { text: "wait" }));
  await waiting.begun;

  const running = await read(gateway.ask(`/api/turns/${body.turn}`));
  const cancelled = await read(gateway.ask(`/api/turns/${body.turn}/cancel`, { method: "POST" }));
  const again = await read(gateway.ask(`/api/turns/${body.turn}/cancel`, { method: "POST" }));

  expect(running.body).toMatchObject({ session: "chat-1", state: "running" });
  expect([cancelled.body, again.body]).toEqual([{ cancelled: true }, { cancelled: false }]);
  expect((await read(gateway.ask(`/api/turns/${body.turn}`))).body).toMatchObject({
    state: "cancelled",
    error: { code: "cancelled" },
  });
});

test("sessions.list shows everybody their own, and the operator all, in pages", async () => {
  await using gateway = await startGateway();
  for (const session of ["a1", "a2", "a3"]) await say(gateway, session, "hi", aliceToken);
  await say(gateway, "b1", "hi", bobToken);
  const ids = async (path: string, token?: string) => {
    const { body } = await read(gateway.ask(path, token === undefined ? {} : { token }));
    return { ids: body.items.map(({ id }: { id: string }) => id).sort(), next: body.next };
  };

  const first = await ids("/api/sessions?limit=2", aliceToken);
  const second = await ids(`/api/sessions?limit=2&cursor=${encodeURIComponent(first.next)}`, aliceToken);

  expect([...first.ids, ...second.ids].sort()).toEqual(["a1", "a2", "a3"]);
  expect(second.next).toBeUndefined();
  expect((await ids("/api/sessions")).ids).toEqual(["a1", "a2", "a3", "b1"]);
  for (const limit of ["0", "201", "x", "1.5"])
    expect((await gateway.ask(`/api/sessions?limit=${limit}`)).status).toBe(400);
  expect((await gateway.ask("/api/sessions?cursor=nonsense")).status).toBe(400);
});

test("sessions.history gives messages oldest first and the cursor to go on from", async () => {
  await using gateway = await startGateway();
  await say(gateway, "chat-1", "one");
  await say(gateway, "chat-1", "two");

  const { body } = await read(gateway.ask("/api/sessions/chat-1/messages?limit=3"));
  const earlier = await read(gateway.ask(`/api/sessions/chat-1/messages?limit=3&cursor=${body.next}`));

  expect(body.items.map(({ message }: { message: { content: string } }) => message.content)).toEqual([
    "You said: one",
    "two",
    "You said: two",
  ]);
  expect(earlier.body.items.map(({ message }: { message: { role: string } }) => message.role)).toEqual([
    "user",
  ]);
  expect(body.turn).toBeUndefined();
  expect((await read(gateway.ask("/api/sessions/chat-1"))).body.cursor).toBe(body.cursor);
});

test("sessions.history names the turn that runs and where its events begin", async () => {
  const waiting = waits();
  await using gateway = await startGateway({ run: waiting.run });
  const { body: sent } = await read(gateway.post("/api/sessions/chat-1/messages", { text: "wait" }));
  await waiting.begun;

  const { body } = await read(gateway.ask("/api/sessions/chat-1/messages"));

  expect(body.turn).toEqual({ id: sent.turn, cursor: sent.cursor });
});

test("sessions.history names a turn that began while it was asked for", async () => {
  const waiting = waits();
  await using gateway = await startGateway({
    run: waiting.run,
    // As it was a moment ago.
    instead: ({ turns }) => ({ turns: { ...turns, current: async () => undefined } }),
  });
  const { body: sent } = await read(gateway.post("/api/sessions/chat-1/messages", { text: "wait" }));
  await waiting.begun;

  const { body } = await read(gateway.ask("/api/sessions/chat-1/messages"));

  expect(body.turn).toEqual({ id: sent.turn, cursor: sent.cursor });
});

test("sessions.reset begins anew, sessions.delete removes, and neither while a turn runs", async () => {
  const waiting = waits();
  await using busy = await startGateway({ run: waiting.run });
  await busy.post("/api/sessions/chat-1/messages", { text: "wait" });
  await waiting.begun;
  await using gateway = await startGateway();
  await say(gateway, "chat-1", "hi");

  expect((await busy.ask("/api/sessions/chat-1/reset", { method: "POST" })).status).toBe(409);
  expect((await busy.ask("/api/sessions/chat-1", { method: "DELETE" })).status).toBe(409);
  expect((await read(gateway.ask("/api/sessions/chat-1/reset", { method: "POST" }))).body).toEqual({
    reset: true,
  });
  expect((await read(gateway.ask("/api/sessions/chat-1/messages"))).body.items).toEqual([]);
  expect((await read(gateway.ask("/api/sessions/chat-1", { method: "DELETE" }))).body).toEqual({
    deleted: true,
    messages: expect.any(Number),
    turns: 1,
    events: expect.any(Number),
    branches: 0,
  });
  expect((await gateway.ask("/api/sessions/chat-1")).status).toBe(404);
});

test("sessions.export writes a line for the session and one for each message, oldest first", async () => {
  await using gateway = await startGateway();
  await say(gateway, "chat-1", "one");

  const response = await gateway.ask("/api/sessions/chat-1/export");
  const lines = (await response.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(lines.map(({ type, message }) => message?.content ?? type)).toEqual([
    "session",
    "one",
    "You said: one",
  ]);
  expect((await gateway.ask("/api/sessions/none/export")).status).toBe(404);
});

test("somebody else's session and turn answer like ones that are not there, by every operation", async () => {
  await using gateway = await startGateway();
  const { turn } = await say(gateway, "mine", "hi", aliceToken);
  const routes = operations.filter(({ scope }) => scope === "own-session" || scope === "own-turn");
  const answers = async (session: string, id: string) =>
    Promise.all(
      routes.map(async ({ method, path }) => {
        const url = path.replace(":session", session).replace(":turn", id).replace(":branch", "b");
        const asked =
          method === "POST"
            ? gateway.post(url, { name: "b" }, { token: bobToken })
            : gateway.ask(`${url}?left=leaf`, { method, token: bobToken });
        const { status, body } = await read(asked);
        return [path, status, body.error.message.replaceAll(session, "ID").replaceAll(id, "ID")];
      }),
    );

  const foreign = await answers("mine", turn);

  expect(foreign.length).toBeGreaterThan(7);
  for (const [path, status] of foreign) expect([path, status]).toEqual([path, 404]);
  expect(foreign).toEqual(await answers("none", "0192f0c0-0000-7000-8000-000000000000"));
  expect(
    (await gateway.post("/api/sessions/mine/messages", { text: "let me in" }, { token: bobToken })).status,
  ).toBe(404);
  expect((await gateway.ask("/api/usage?session=mine", { token: bobToken })).status).toBe(404);
  expect((await gateway.ask("/api/sessions/mine", { token: aliceToken })).status).toBe(200);
  expect((await gateway.ask("/api/sessions/mine")).status).toBe(200);
});

test("session ids are checked, and clients open none under a prefix of the server", async () => {
  await using gateway = await startGateway();
  const send = async (session: string) =>
    (await gateway.post(`/api/sessions/${session}/messages`, { text: "hi" })).status;

  for (const id of ["a b", "a%2Fb", "a".repeat(129), "%00", "ä"])
    expect([id, await send(encodeURI(id))]).toEqual([id, 400]);
  for (const prefix of ["telegram:", "sms:", "slack:", "websocket:", "webhook:", "job:", "delegate:"]) {
    expect([prefix, await send(`${prefix}1`)]).toEqual([prefix, 400]);
  }
  expect(await send("Aa0-_.:")).toBe(200);
});

test("a session under a prefix of the server is refused alike when it is somebody else's and when there is none", async () => {
  await using gateway = await startGateway();
  const theirs = "sms:1555";
  await gateway.store.write((tx) =>
    sessions.open(tx, { id: theirs, owner: "sms:1555", channel: "sms", now: 1 }),
  );
  const refusal = async (id: string) => {
    const send = await gateway.post(`/api/sessions/${id}/messages`, { text: "hi" }, { token: aliceToken });
    const chat = await gateway.post(
      "/v1/chat/completions",
      { messages: [{ role: "user", content: "hi" }] },
      { token: aliceToken, headers: { "x-openclaw-session-id": id } },
    );
    const texts = [await send.text(), await chat.text()];
    return { status: [send.status, chat.status], texts: texts.map((each) => each.replaceAll(id, "ID")) };
  };

  const foreign = await refusal(theirs);

  expect(foreign.status).toEqual([400, 400]);
  expect(foreign).toEqual(await refusal("sms:1777"));
});

test("a turn that is refused is told by its code, and unknown failures by one sentence", async () => {
  await using gateway = await startGateway({ run: fails(new Error("secret detail")) });

  const { body } = await read(gateway.post("/api/sessions/s/messages", { text: "hi" }));
  const { events } = await eventsOf(gateway, body.turn);

  expect(events.join()).toContain('"code":"internal"');
  expect(events.join()).not.toContain("secret detail");
});

test("approvals are listed for their requester and decided once, over HTTP too", async () => {
  await using gateway = await startGateway();
  const ask = (callId: string) =>
    gateway.approvals.ask(aTurn({ principal: { name: "alice", scope: "chat" } }), {
      callId,
      toolName: "memory",
      argumentsJson: '{"a":1}',
      reason: "asks",
    });
  const [first, second] = [await ask("c1"), await ask("c2")];
  const decide = (id: string, body: object, token?: string) =>
    gateway.post(`/api/approvals/${id}`, body, token === undefined ? {} : { token });
  const listed = async (token: string) =>
    (await read(gateway.ask("/api/approvals", { token }))).body.items.map(({ id }: { id: string }) => id);

  // Asked within one millisecond, so either may come first.
  expect((await listed(aliceToken)).sort()).toEqual([first.id, second.id].sort());
  expect(await listed(bobToken)).toEqual([]);
  expect((await decide(first.id, { approved: true }, bobToken)).status).toBe(404);
  expect((await decide(first.id, { approved: "yes" })).status).toBe(400);
  expect((await read(decide(first.id, { approved: false, note: "not now" }, aliceToken))).body).toEqual({
    id: first.id,
    approved: false,
    scope: "once",
  });
  expect((await decide(first.id, { approved: true })).status).toBe(404);
  expect(await listed(aliceToken)).toEqual([second.id]);
});

test("decisions that reach further are the operator's to list and to revoke, and a scope is taken by every door", async () => {
  await using gateway = await startGateway();
  const ask = async (pattern: string, principal = "alice") => {
    const turn = aTurn({ principal: { name: principal, scope: "chat" } });
    const call = { callId: "c", toolName: "git", argumentsJson: '{"subcommand":"add"}', reason: "asks" };
    return (await gateway.approvals.ask(turn, { ...call, pattern })).id;
  };
  const decide = (id: string, body: object, token?: string) =>
    gateway.post(`/api/approvals/${id}`, body, token === undefined ? {} : { token });
  const always = { approved: true, scope: "always" };

  const first = await ask('"git add"');
  expect((await read(gateway.ask("/api/approvals"))).body.items).toMatchObject([
    { id: first, pattern: "git add" },
  ]);
  expect((await decide(first, always, aliceToken)).status).toBe(403);
  expect((await decide(first, { approved: true, scope: "for ever" })).status).toBe(400);
  expect((await decide(first, { approved: true, scope: "session" }, aliceToken)).status).toBe(400);
  expect((await decide(first, always, bobToken)).status).toBe(404);
  expect((await read(decide(first, always))).body).toEqual({ id: first, ...always });
  await decide(await ask('{"subcommand":"add"}'), { approved: false, scope: "always", note: "no" });

  const rules = async () => (await read(gateway.ask("/api/approvals/rules"))).body.items;
  const [exact, pattern] = await rules().then((items) =>
    items.toSorted(
      (a: { approved: boolean }, b: { approved: boolean }) => Number(a.approved) - Number(b.approved),
    ),
  );
  expect(exact).toMatchObject({
    principal: "alice",
    argumentsJson: '{"subcommand":"add"}',
    approved: false,
    note: "no",
  });
  expect(pattern).toMatchObject({
    toolName: "git",
    pattern: "git add",
    approved: true,
    decidedBy: "operator",
  });
  expect((await gateway.ask("/api/approvals/rules", { token: aliceToken })).status).toBe(403);
  const forget = (id: string, token?: string) =>
    gateway.ask(`/api/approvals/rules/${id}`, { method: "DELETE", ...(token !== undefined && { token }) });
  expect((await forget(pattern.id, aliceToken)).status).toBe(403);
  expect((await forget(pattern.id)).status).toBe(200);
  expect((await forget(pattern.id)).status).toBe(404);
  expect(await rules()).toHaveLength(1);

  // The route of OpenClaw.NET knows no scope: what it is sent beside is not obeyed.
  const third = await ask('"git log"');
  await gateway.ask(`/tools/approve?approvalId=${third}&approved=true&scope=always`, { method: "POST" });
  expect(await rules()).toHaveLength(1);
});

test("POST /tools/approve answers as tools around OpenClaw.NET read it", async () => {
  await using gateway = await startGateway();
  const { id } = await gateway.approvals.ask(aTurn(), {
    callId: "c",
    toolName: "memory",
    argumentsJson: "{}",
    reason: "asks",
  });
  const approve = (query: string, token?: string) =>
    read(gateway.ask(`/tools/approve?${query}`, { method: "POST", ...(token !== undefined && { token }) }));

  expect(await approve("approvalId=x")).toMatchObject({ status: 400, body: { success: false } });
  expect(await approve(`approvalId=${id}&approved=perhaps`)).toMatchObject({
    status: 400,
    body: { success: false },
  });
  expect(await approve(`approvalId=${id}&approved=true`, aliceToken)).toMatchObject({
    status: 404,
    body: { success: false },
  });
  expect(await approve(`approvalId=${id}&approved=True`)).toEqual({ status: 200, body: { success: true } });
  expect(await approve(`approvalId=${id}&approved=true`)).toMatchObject({
    status: 404,
    body: { success: false },
  });
});

test("notes are the operator's to list, read, write, search and delete", async () => {
  await using gateway = await startGateway();
  const put = (key: string, body: object) =>
    gateway.post(`/api/notes/${encodeURIComponent(key)}`, body, { method: "PUT" });

  expect((await put("trip/plan", { content: "Take the night train to Vienna" })).status).toBe(200);
  expect((await read(gateway.ask("/api/notes/trip%2Fplan"))).body).toMatchObject({
    key: "trip/plan",
    content: "Take the night train to Vienna",
  });
  expect((await read(gateway.ask("/api/notes?limit=1"))).body.items).toHaveLength(1);
  for (const query of ["vienna", '"-? *', "AND", "東京", "%"])
    expect((await gateway.ask(`/api/notes/search?query=${encodeURIComponent(query)}`)).status).toBe(200);
  expect((await read(gateway.ask("/api/notes/search?query=vienna"))).body.items[0]).toMatchObject({
    key: "trip/plan",
  });
  expect((await put("x", { content: 5 })).status).toBe(400);
  expect((await gateway.ask("/api/notes/trip%2Fplan", { method: "DELETE" })).status).toBe(200);
  expect((await gateway.ask("/api/notes/trip%2Fplan")).status).toBe(404);
});

const tokens = {
  ...{ calls: 0, estimatedCalls: 0, unpricedCalls: 0 },
  ...{ inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
};

test("usage.get tells all of it to the operator and a session's to its owner", async () => {
  await using gateway = await startGateway({ run: plays(text("hi"), said("hi"), done()) });
  await say(gateway, "chat-1", "hi", aliceToken);

  const call = { turnId: "t", sessionId: "chat-1", principal: "alice", channel: "http", model: "small" };
  await gateway.store.write(async (tx) => {
    await usage.record(tx, { ...noUsage, ...call, inputTokens: 7, now: Date.parse("2026-11-23T10:00:00Z") });
    await usage.record(tx, {
      ...noUsage,
      ...call,
      inputTokens: 5,
      cost: 1500,
      now: Date.parse("2026-11-24"),
    });
  });
  const all = (await read(gateway.ask("/api/usage"))).body;
  expect(all).toMatchObject({ calls: 2, inputTokens: 12, unpricedCalls: 1, costUsd: 0.0015 });
  expect(all.models).toMatchObject([{ model: "small", calls: 2 }]);
  const byDay = (await read(gateway.ask("/api/usage?by=day&to=2026-11-23"))).body;
  expect(byDay.items).toEqual([{ ...tokens, key: "2026-11-23", calls: 1, unpricedCalls: 1, inputTokens: 7 }]);
  expect((await gateway.ask("/api/usage?by=weekday")).status).toBe(400);
  expect((await gateway.ask("/api/usage?from=yesterday")).status).toBe(400);
  expect((await gateway.ask("/api/usage?session=chat-1", { token: aliceToken })).status).toBe(200);
  expect((await read(gateway.ask("/api/usage", { token: aliceToken }))).body.error).toMatchObject({
    code: "forbidden",
    param: "session",
  });
});

test("/health/ready is 503 while the server drains, and turns and sockets are refused then", async () => {
  await using gateway = await startGateway();
  expect((await read(gateway.ask("/health/ready", { token: null }))).body).toMatchObject({ status: "ok" });

  gateway.gateway.drain();

  expect(await read(gateway.ask("/health/ready", { token: null }))).toEqual({
    status: 503,
    body: { status: "unavailable", failing: "draining" },
  });
  expect((await gateway.ask("/health", { token: null })).status).toBe(200);
  expect(
    (await gateway.post("/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] })).status,
  ).toBe(503);
});

test("/health/ready names the store when nothing can be written", async () => {
  await using gateway = await startGateway();
  await gateway.store.close();

  expect((await read(gateway.ask("/health/ready", { token: null }))).body).toEqual({
    status: "unavailable",
    failing: "store",
  });
});

test("/metrics has the names that dashboards know", async () => {
  await using gateway = await startGateway();

  const { body } = await read(gateway.ask("/metrics"));

  const known = [
    "totalRequests",
    "totalLlmCalls",
    "totalInputTokens",
    "totalOutputTokens",
    "totalToolCalls",
    "totalToolFailures",
    "totalToolTimeouts",
    "totalLlmRetries",
    "totalLlmErrors",
    "activeSessions",
    "circuitBreakerState",
  ];
  for (const name of known) expect([name, typeof body[name]]).toEqual([name, "number"]);
});

test("/openapi.json describes every operation, its parameters and its result", async () => {
  await using gateway = await startGateway();

  const { body } = await read(gateway.ask("/openapi.json"));

  for (const { name, method, path } of operations) {
    const described = body.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    expect(described).toMatchObject({
      operationId: name,
      responses: { "200": { content: expect.anything() } },
    });
  }
  expect(
    body.paths["/api/sessions/{session}/messages"].post.requestBody.content["application/json"].schema,
  ).toMatchObject({
    properties: { text: { type: "string" } },
    required: ["text"],
  });
  expect(
    body.paths["/api/sessions"].get.parameters.find(({ name }: { name: string }) => name === "limit"),
  ).toMatchObject({ in: "query", required: false });
});

test("operation answers carry nothing but what their result names", async () => {
  await using gateway = await startGateway();
  await say(gateway, "chat-1", "hi");

  const { body } = await read(gateway.ask("/api/sessions/chat-1"));

  expect(Object.keys(body).sort()).toEqual([
    "channel",
    "createdAt",
    "cursor",
    "id",
    "owner",
    "title",
    "updatedAt",
  ]);
});

test("sessions.send refuses a model that is not on offer before anything is stored", async () => {
  await using gateway = await startGateway();

  const { body } = await read(gateway.post("/api/sessions/s/messages", { text: "hi", model: "huge" }));

  expect(body.error).toMatchObject({ code: "model_not_found", param: "model" });
  expect((await gateway.ask("/api/sessions/s")).status).toBe(404);
});
