import { expect, test } from "bun:test";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as turns from "../../src/store/turns.ts";
import { ownSessions } from "../../src/turns/own-sessions.ts";
import { startInProcess } from "../helpers/in-process.ts";
import { type ChatBody, scriptedModel } from "../helpers/model-server.ts";
import { aProcess } from "../scheduler/a-scheduler.ts";

test("ownSessions sends with no more tools, tokens and approvers than the call has", async () => {
  const store = await memoryStore();
  const one = aProcess(store);
  await store.write((tx) => sessions.open(tx, { id: "other", owner: "alice", channel: "http", now: 1 }));
  const limits = { onlyTools: ["time"], maxTokens: 700, approver: "none" } as const;
  const asking = { principal: "alice", turnId: "t1", callId: "c1", sessionId: "s1", ...limits };
  const { turnId } = await ownSessions(store, one.turns.accept, asking).send("other", "hi");
  const row = await store.read((tx) => turns.find(tx, turnId));
  expect(JSON.parse(row?.request ?? "{}")).toMatchObject(limits);
});

/** What the model was told of its calls since the last message of a person. */
const results = ({ messages }: ChatBody) =>
  messages
    .slice(messages.findLastIndex(({ role }) => role === "user"))
    .filter(({ role }) => role === "tool")
    .map(({ content }) => String(content));

const sends = (id: string, message: string) => ({
  id,
  name: "sessions",
  arguments: { action: "send", sessionId: "other", message },
});

/** What arrives in another session when the model is told "SEND" and plays `part`. */
async function arrivals(part: (body: ChatBody) => ReturnType<typeof sends>[]) {
  await using model = scriptedModel((body) => {
    const said = body.messages.findLast(({ role }) => role === "user")?.content;
    const calls = said === "SEND" ? part(body) : [];
    return calls.length > 0 ? { calls } : { text: results(body).join("\n") };
  });
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTONOMY: "full",
  });
  const say = async (session: string, content: string) => {
    const headers = { "x-openclaw-session-id": session };
    const body = { messages: [{ role: "user", content }] };
    return (await server.ask("/v1/chat/completions", body, { headers })).json();
  };
  await say("other", "hello");
  const { choices } = await say("main", "SEND");
  const begun: string[] = choices[0].message.content.match(/[\da-f-]{36}/g);
  for (const turn of begun) await (await server.ask(`/api/turns/${turn}/events`)).text();
  const { items } = await (await server.ask("/api/sessions/other/messages")).json();
  const said: { role: string; content: string }[] = items.map(({ message }: { message: unknown }) => message);
  return said.flatMap(({ role, content }) => (role === "user" ? [content] : [])).slice(1);
}

test("ownSessions sends once more for a call whose id an earlier answer of the turn has used", async () => {
  const words = ["first", "second", "second"];
  expect(
    await arrivals((body) =>
      words
        .slice(results(body).length)
        .slice(0, 1)
        .map((word) => sends("0", word)),
    ),
  ).toEqual(words);
});

test("ownSessions tells apart calls whose ids differ only at the end", async () => {
  const id = `call_${"s".repeat(90)}_`;
  expect(
    await arrivals((body) =>
      results(body).length > 0 ? [] : [sends(`${id}0`, "first"), sends(`${id}1`, "second")],
    ),
  ).toEqual(["first", "second"]);
});
